"""What layers remember from inference mode, as evaluation between steps runs in it, serves the next training step."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from models.layers.attentions import make_attention
from models.layers.config import AttentionConfig, FeedForwardConfig
from models.layers.contracts import Layout
from models.layers.feedforwards import make_feed_forward
from models.layers.heads import make_head

LAYOUT = Layout(views=2, height=2, width=2)
IDS = torch.tensor([1, 0, 2, 1, 0, 2, 2, 0])


def grouped(hashes: str) -> Callable[[], nn.Module]:
    return lambda: make_feed_forward(FeedForwardConfig(kind="grouped", experts=3, second_key=hashes), 16)  # type: ignore[arg-type]


LAYERS: dict[str, tuple[Callable[[], nn.Module], dict[str, Any]]] = {
    "grouped": (grouped("none"), {"group_ids": IDS}),
    "multihash": (grouped("ray"), {"group_ids": 3 * IDS + IDS}),
    "projections": (
        lambda: make_attention(AttentionConfig(experts=3), 16, 8), {"layout": LAYOUT, "group_ids": IDS},
    ),
    "sandwich": (lambda: make_head("sandwich", 16, 4), {}),
}  # fmt: skip


@pytest.mark.parametrize("mode", [True, False], ids=["trained", "used"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_step_after_inference_mode_is_one_without_it(name: str, mode: bool) -> None:
    make, told = LAYERS[name]
    x = torch.randn(1, LAYOUT.length, 16)
    gradients = []
    for inference_first in (False, True):
        torch.manual_seed(0)
        layer = make().train(mode)
        if inference_first:
            with torch.inference_mode():
                own = {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in told.items()}
                layer(x, **own)
        given = x.clone().requires_grad_()
        layer(given, **told).square().sum().backward()
        gradients.append(given.grad)
    assert torch.equal(*gradients)


def test_converted_weights_of_a_frozen_tree_let_gradients_through() -> None:
    torch.manual_seed(0)
    layer = make_feed_forward(FeedForwardConfig(kind="fast", depth=1), 16)
    layer.finalise()
    layer.eval().requires_grad_(False)
    x = torch.randn(1, 8, 16)
    with torch.autocast("cpu", torch.bfloat16):
        with torch.inference_mode():
            layer(x)
        given = x.clone().requires_grad_()
        y = layer(given)
    y.float().square().sum().backward()
    assert given.grad is not None
    assert given.grad.abs().sum() > 0
