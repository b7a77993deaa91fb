"""The convolutional part of VGG networks up to the last feature that is compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d, relu

from recon.errors import InputError


@dataclass(frozen=True)
class VGGLayout:
    """Which convolutions there are, and after which of them features are taken.

    Attributes:
        convolutions: Number of 3x3 convolutions of each block; each is followed by a ReLU, each block by pooling.
        widths: Channels of each block.
        taps: The convolution of each block, counted from 1, whose ReLU gives the features that are compared.
        pool: Pooling over 2x2 pixels between blocks.
    """

    convolutions: tuple[int, ...]
    widths: tuple[int, ...]
    taps: tuple[int, ...]
    pool: Literal["max", "average"]

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """`features.N` of each convolution that is used, block by block, N counted as torchvision does."""
        names, position = [], 0
        last = len(self.convolutions) - 1
        for block, num in enumerate(self.convolutions):
            used = self.taps[block] if block == last else num
            names.append(tuple(f"features.{position + 2 * i}" for i in range(used)))
            position += 2 * num + 1
        return tuple(names)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all weights and biases that are used, by torchvision's names."""
        shapes: dict[str, tuple[int, ...]] = {}
        channels = 3
        for names, width in zip(self.names, self.widths, strict=True):
            for name in names:
                shapes |= {f"{name}.weight": (width, channels, 3, 3), f"{name}.bias": (width,)}
                channels = width
        return shapes


VGG_WIDTHS = (64, 128, 256, 512, 512)
VGG16_LPIPS = VGGLayout((2, 2, 3, 3, 3), VGG_WIDTHS, (2, 2, 3, 3, 3), "max")
"""relu1_2, relu2_2, relu3_3, relu4_3, relu5_3."""
VGG19_AVERAGE = VGGLayout((2, 2, 4, 4, 4), VGG_WIDTHS, (2, 2, 2, 2, 2), "average")
"""reluN_2 of each block, with average instead of maximum pooling."""


class VGGFeatures(nn.Module):
    """A VGG network that does not learn; its weights stay out of checkpoints.

    Args:
        layout: Which convolutions there are.
        tensors: Exactly the tensors of `layout.shapes`.
    """

    def __init__(self, layout: VGGLayout, tensors: Mapping[str, Tensor]):
        super().__init__()
        self.layout = layout
        for name in layout.shapes:
            self.register_buffer(_attribute(name), tensors[name].clone(), persistent=False)

    def forward(self, pictures: Float[Tensor, "n 3 height width"]) -> list[Float[Tensor, "n _ _ _"]]:
        """Features at the taps, each block at half the resolution of the one before.

        Args:
            pictures: Scaled as the weights were trained with.

        Raises:
            InputError: The pictures are too small to be halved that often.
        """
        smallest = 2 ** (len(self.layout.convolutions) - 1)
        if min(pictures.shape[-2:]) < smallest:
            raise InputError(
                f"pictures of {pictures.shape[-1]} x {pictures.shape[-2]} pixels, expected at least {smallest} on each "
                "side for a comparison by VGG features"
            )
        pool = max_pool2d if self.layout.pool == "max" else avg_pool2d
        features, x = [], pictures
        for block, names in enumerate(self.layout.names):
            x = pool(x, 2) if block else x
            for i, name in enumerate(names, start=1):
                x = relu(conv2d(x, self._tensor(f"{name}.weight"), self._tensor(f"{name}.bias"), padding=1))
                if i == self.layout.taps[block]:
                    features.append(x)
        return features

    def _tensor(self, name: str) -> Tensor:
        return self.get_buffer(_attribute(name))


def _attribute(name: str) -> str:
    return name.replace(".", "_")
