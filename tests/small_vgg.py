"""VGG networks with few channels, so that tests of what uses them are quick."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from recon.vgg.network import VGG16_LPIPS, VGG19_AVERAGE, VGGLayout

WIDTHS = (4, 4, 6, 6, 8)
SMALL_VGG16 = replace(VGG16_LPIPS, widths=WIDTHS)
SMALL_VGG19 = replace(VGG19_AVERAGE, widths=WIDTHS)


def random_tensors(layout: VGGLayout, generator: torch.Generator) -> dict[str, Tensor]:
    """Weights that keep features alive: variance as He et al. 2015."""
    return {
        name: torch.randn(shape, generator=generator) * ((2 / (9 * shape[1])) ** 0.5 if len(shape) == 4 else 0.1)
        for name, shape in layout.shapes.items()
    }


def as_sequence(layout: VGGLayout, tensors: dict[str, Tensor]) -> nn.Sequential:
    """The same network laid out as torchvision does, layer by layer, whole blocks with their pooling."""
    layers: list[nn.Module] = []
    channels = 3
    for num, width in zip(layout.convolutions, layout.widths, strict=True):
        for _ in range(num):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2) if layout.pool == "max" else nn.AvgPool2d(2))
    for i, layer in enumerate(layers):
        if isinstance(layer, nn.Conv2d) and f"features.{i}.weight" in tensors:
            layer.load_state_dict({part: tensors[f"features.{i}.{part}"] for part in ("weight", "bias")})
    return nn.Sequential(*layers)
