"""LPIPS 0.1 with VGG-16: a distance of pictures by features, weighted to agree with people (Zhang et al. 2018)."""

from importlib.util import find_spec
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from recon.errors import CheckpointError
from recon.io.tensor_file import read_tensors
from recon.vgg.files import read_vgg
from recon.vgg.network import VGG16_LPIPS, VGGFeatures, VGGLayout

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Of colours in -1..1, before the network."""
EPSILON = 1e-10


class LPIPS(nn.Module):
    """Distance of pictures; 0 for equal ones.

    Args:
        backbone: VGG-16.
        heads: Weights of the channels of each tap, not negative.
    """

    def __init__(self, backbone: VGGFeatures, heads: list[Float[Tensor, " _"]]):
        super().__init__()
        self.backbone = backbone
        self.num_taps = len(heads)
        for i, head in enumerate(heads):
            self.register_buffer(f"head{i}", head.clone(), persistent=False)
        self.register_buffer("shift", torch.tensor(SHIFT).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE).view(3, 1, 1), persistent=False)

    @torch.no_grad()
    def forward(
        self, rendered: Float[Tensor, "n 3 height width"], target: Float[Tensor, "n 3 height width"]
    ) -> Float[Tensor, " n"]:
        """Distance of each pair of pictures in 0..1, without gradients; `normalize=True` of the original."""
        ours, theirs = self._features(rendered), self._features(target)
        distances = [
            torch.einsum("nchw,c->nhw", (a - b).square(), self.get_buffer(f"head{i}")).mean((1, 2))
            for i, (a, b) in enumerate(zip(ours, theirs, strict=True))
        ]
        return torch.stack(distances).sum(0)

    def _features(self, pictures: Float[Tensor, "n 3 height width"]) -> list[Float[Tensor, "n _ _ _"]]:
        """Features of unit length at each pixel."""
        scaled = (2 * pictures - 1 - self.get_buffer("shift")) / self.get_buffer("scale")
        return [f / (f.square().sum(1, keepdim=True).sqrt() + EPSILON) for f in self.backbone(scaled)]


def read_lpips(backbone: Path, heads: Path | None = None, *, layout: VGGLayout = VGG16_LPIPS) -> LPIPS:
    """LPIPS from weights on disk.

    Args:
        backbone: torchvision's VGG-16 that was trained on ImageNet (`vgg16-397923af.pth`, or the same as safetensors).
        heads: `vgg.pth` of LPIPS 0.1 with `lin0.model.1.weight`, ... None takes the copy that comes with torchmetrics.
        layout: Of the backbone.

    Raises:
        CheckpointError: A file is missing or does not hold these weights.
    """
    network = read_vgg(backbone, layout)
    shapes = {f"lin{i}.model.1.weight": (1, width, 1, 1) for i, width in enumerate(layout.widths)}
    tensors = read_tensors(heads_of_torchmetrics() if heads is None else heads, shapes)
    return LPIPS(network, [tensors[name].flatten() for name in shapes]).eval()


def heads_of_torchmetrics() -> Path:
    """The file of the linear heads for VGG-16 that torchmetrics brings with it.

    Raises:
        CheckpointError: It does not.
    """
    spec = find_spec("torchmetrics")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "functional" / "image" / "lpips_models" / "vgg.pth"
        if path.is_file():
            return path
    raise CheckpointError(
        "the installed torchmetrics has no linear heads of LPIPS",
        hint="name the file of the heads, vgg.pth of LPIPS 0.1",
    )
