"""A small network with blocks, for tests of compression."""

import torch
from torch import nn

from models.ilrm.processor import Processor
from models.layers.config import BlockConfig


def blocks(dim: int = 32, config: BlockConfig | None = None) -> Processor:
    """Update layers with weights whose spectrum decays, as that of trained ones does."""
    torch.manual_seed(0)
    network = Processor(dim, 16, 1, block=config or BlockConfig()).eval()
    for parameter in network.parameters():
        if parameter.ndim == 2:
            left, _, right = torch.linalg.svd(torch.randn(parameter.shape), full_matrices=False)
            values = torch.arange(1, left.shape[1] + 1) ** -0.7
            parameter.data = (left * values) @ right * 2
    return network


def tokens(dim: int = 32, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Viewpoint tokens and image tokens of two views; channels are of unlike size."""
    generator = torch.Generator().manual_seed(seed)
    scale = torch.linspace(0.1, 2, dim)
    own, image = torch.randn(2, 1, 2, 9, dim, generator=generator) * scale
    return own, image


def drift(changed: nn.Module, network: nn.Module, seed: int = 1) -> float:
    """Relative difference of the updates that two networks add to the tokens."""
    x, memory = tokens(seed=seed)
    with torch.no_grad():
        exact = network(x, memory) - x
        return float((changed(x, memory) - x - exact).norm() / exact.norm())
