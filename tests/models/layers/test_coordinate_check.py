"""The coordinate check of the maximal update parametrisation (Yang et al. 2021, appendix D.1).

Width may grow, and what a few steps of training do to every activation stays as large: so rates that were found at one
width hold at others. Rates of structured matrices are relative to that of a dense one, which falls as 1 / width.
"""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from models.layers.config import FeedForwardConfig, LinearConfig
from models.layers.contracts import FeedForward
from models.layers.feedforwards import make_feed_forward
from models.layers.linears import LINEARS
from models.layers.param_groups import param_groups

WIDTHS = (64, 128, 256)
STEPS, RATE = 5, 0.2
CONFIGS = {kind: LinearConfig(kind) for kind in LINEARS}


def activations(layer: FeedForward, x: Tensor) -> tuple[Tensor, Tensor]:
    """Hidden units before their activation, and the update."""
    return layer.fc1(layer.norm(x)).detach(), layer(x).detach()


def moved(config: LinearConfig, width: int, rate: float) -> Tensor:
    """RMS of what a few steps of Adam change of hidden units and update, towards a target that knows no width."""
    torch.manual_seed(0)
    layer = make_feed_forward(FeedForwardConfig(ratio=2.0, linear=config), width)
    x = torch.randn(256, width)
    target = torch.sin(x[:, :1] * torch.arange(1, 5)).repeat(1, width // 4)
    optimizer = torch.optim.Adam(param_groups(layer, rate, 0.0))
    before = activations(layer, x[None])
    for _ in range(STEPS):
        optimizer.zero_grad()
        mse_loss(layer(x[None])[0], target).backward()
        optimizer.step()
    after = activations(layer, x[None])
    return torch.stack([(new - old).square().mean().sqrt() for new, old in zip(after, before, strict=True)])


def spread(config: LinearConfig, power: float) -> Tensor:
    """Largest over smallest change between widths, of hidden units and of the update, at a rate of width^-power."""
    changes = torch.stack([moved(config, width, RATE * width**-power) for width in WIDTHS])
    return changes.amax(0) / changes.amin(0)


@pytest.mark.parametrize("kind", CONFIGS)
def test_activations_move_as_far_at_every_width(kind: str) -> None:
    assert float(spread(CONFIGS[kind], 1.0).max()) < 2


def test_with_one_rate_for_all_widths_they_do_not() -> None:
    assert float(spread(CONFIGS["dense"], 0.0).max()) > 3
