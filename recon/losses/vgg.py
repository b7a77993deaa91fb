"""The perceptual loss of LVSM, Long-LRM and iLRM: absolute differences of VGG-19 features.

After Chen and Koltun 2017, in the form of LVSM: average pooling, the pictures themselves beside five features.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from recon.vgg.files import read_vgg
from recon.vgg.matconvnet import read_matconvnet
from recon.vgg.network import VGG19_AVERAGE, VGGFeatures, VGGLayout

PICTURE_WEIGHT = 1.0
TAP_WEIGHTS = (1 / 2.6, 1 / 4.8, 1 / 3.7, 1 / 5.6, 10 / 1.5)
"""Of the mean absolute differences of pictures in 0..255, and of relu1_2, relu2_2, relu3_2, relu4_2, relu5_2."""


class VGGInput(NamedTuple):
    """What pictures a network was trained with.

    Attributes:
        mean: Of each colour, in 0..1.
        std: What each colour less its mean is divided by.
        gain: What its features are multiplied by, to be on the scale of pictures in 0..255.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    gain: float


MATCONVNET = VGGInput((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255), 1.0)
TORCHVISION = VGGInput((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 255 * 0.226)
"""Its weights are others, trained with colours of unit variance; the gain is 255 times the mean deviation."""


class VGGLoss(nn.Module):
    """Perceptual loss of pictures.

    Args:
        backbone: VGG-19 with average pooling.
        given: What pictures it was trained with.
    """

    def __init__(self, backbone: VGGFeatures, given: VGGInput = MATCONVNET):
        super().__init__()
        self.backbone = backbone
        self.gain = given.gain
        self.register_buffer("mean", torch.tensor(given.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(given.std).view(3, 1, 1), persistent=False)

    def forward(
        self, rendered: Float[Tensor, "n 3 height width"], target: Float[Tensor, "n 3 height width"]
    ) -> Float[Tensor, ""]:
        """Mean over the pictures, which are in 0..1, in units of their range."""
        loss = PICTURE_WEIGHT * 255 * (rendered - target).abs().mean()
        with torch.no_grad():
            wanted = self._features(target)
        for weight, ours, theirs in zip(TAP_WEIGHTS, self._features(rendered), wanted, strict=True):
            loss = loss + weight * self.gain * (ours - theirs).abs().mean()
        return loss / 255

    def _features(self, pictures: Float[Tensor, "n 3 height width"]) -> list[Float[Tensor, "n _ _ _"]]:
        return self.backbone((pictures - self.get_buffer("mean")) / self.get_buffer("std"))


def read_vgg_loss(path: Path, *, layout: VGGLayout = VGG19_AVERAGE) -> VGGLoss:
    """The loss from weights on disk.

    Args:
        path: MatConvNet's `imagenet-vgg-verydeep-19.mat`, with which the loss is as published; or torchvision's VGG-19
            as `.pth` or `.safetensors`, with which it is alike but not the same.
        layout: Of the backbone.

    Raises:
        CheckpointError: The file is missing or does not hold these weights.
    """
    if path.suffix == ".mat":
        return VGGLoss(read_matconvnet(path, layout), MATCONVNET)
    return VGGLoss(read_vgg(path, layout), TORCHVISION)
