"""Weights of VGG networks, from files that people name."""

from pathlib import Path

from recon.io.tensor_file import read_tensors
from recon.vgg.network import VGGFeatures, VGGLayout

IGNORED = r"(features\.[0-9]+|classifier\.[0-9]+)\.(weight|bias)"
"""Later convolutions and the classifier."""


def read_vgg(path: Path, layout: VGGLayout) -> VGGFeatures:
    """A network from weights under torchvision's names (`features.0.weight`, ...).

    Args:
        path: `.safetensors`, or `.pth` such as torchvision publishes. Layers that are not used may be there.
        layout: Which convolutions there are.

    Raises:
        CheckpointError: The file is missing or does not hold these weights.
    """
    return VGGFeatures(layout, read_tensors(path, layout.shapes, ignored=IGNORED))
