"""Experts cut into halves, of which a token takes one of each (MultiHash)."""

import itertools

import pytest
import torch
from torch.nn.functional import gelu
from torch.utils.flop_counter import FlopCounterMode

from models.layers.config import FeedForwardConfig
from models.layers.contracts import Layout
from models.layers.feedforwards import make_feed_forward
from models.layers.feedforwards.grouped import GroupedFeedForward
from models.layers.feedforwards.keys import checkerboard_keys, product_keys, view_keys
from recon.errors import InputError

CONFIG = FeedForwardConfig("grouped", ratio=2.0, experts=3, second_key="view")
IDS = torch.tensor([8, 0, 4, 3, 1, 8, 5, 0, 7])


def built(seed: int = 0) -> GroupedFeedForward:
    torch.manual_seed(seed)
    layer = make_feed_forward(CONFIG, 8).double()
    assert isinstance(layer, GroupedFeedForward)
    return layer


@pytest.fixture
def tokens(generator) -> torch.Tensor:
    return torch.randn(2, 9, 8, dtype=torch.float64, generator=generator)


def test_equals_halves_of_two_experts_token_by_token(tokens) -> None:
    layer, rows = built(), []
    up, down = layer.up.view(3, 2, 8, 8), layer.down.view(3, 2, 8, 8)
    for row in layer.norm(tokens):
        for x, group in zip(row, IDS, strict=True):
            first, second = divmod(int(group), 3)
            halves = [gelu(up[expert, half] @ x) @ down[expert, half] for half, expert in enumerate((first, second))]
            rows.append(sum(halves))
    expected = torch.stack(rows).view(tokens.shape)
    torch.testing.assert_close(layer(tokens, group_ids=IDS), expected, rtol=1e-10, atol=1e-12)


def test_both_halves_of_one_expert_are_that_expert(tokens) -> None:
    layer, plain = built(), GroupedFeedForward(8, 2.0, 3).double()
    plain.load_state_dict(layer.state_dict())
    experts = IDS % 3
    torch.testing.assert_close(layer(tokens, group_ids=4 * experts), plain(tokens, group_ids=experts))


def test_every_pair_of_experts_is_another_layer(tokens) -> None:
    layer = built()
    one = tokens[:1, :1]
    found = [layer(one, group_ids=torch.tensor([group])) for group in range(9)]
    assert all(not torch.allclose(a, b) for a, b in itertools.combinations(found, 2))


def test_gradients_are_derivatives(tokens) -> None:
    layer = built()
    named = dict(layer.named_parameters())

    def update(x, *values):
        return torch.func.functional_call(layer, dict(zip(named, values, strict=True)), (x,), {"group_ids": IDS})

    assert torch.autograd.gradcheck(update, (tokens[:1].requires_grad_(), *named.values()), fast_mode=True)


def test_counted_multiply_adds_are_those_of_one_expert(tokens) -> None:
    layer = built()
    with FlopCounterMode(display=False) as counter:
        layer(tokens, group_ids=IDS)
    assert counter.get_total_flops() == 2 * layer.macs(18, "eval") == 2 * GroupedFeedForward(8, 2.0, 3).macs(18, "eval")


def test_parameters_are_those_of_the_experts(tokens) -> None:
    layer, other = built(0), built(1)
    assert {n: p.shape for n, p in layer.named_parameters()} == {
        n: p.shape for n, p in GroupedFeedForward(8, 2.0, 3).named_parameters()
    }
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(tokens, group_ids=IDS), layer(tokens, group_ids=IDS))


def test_order_strides_single_tokens_and_none(tokens) -> None:
    layer = built()
    together = layer(tokens, group_ids=IDS)
    order = torch.tensor([3, 1, 8, 0, 2, 7, 6, 5, 4])
    torch.testing.assert_close(layer(tokens[:, order], group_ids=IDS[order]), together[:, order])
    strided = tokens.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    torch.testing.assert_close(layer(strided, group_ids=IDS), together)
    torch.testing.assert_close(layer(tokens[1:, 4:5], group_ids=IDS[4:5]), together[1:, 4:5])
    assert layer(tokens[:, :0], group_ids=IDS[:0]).shape == (2, 0, 8)


def test_bfloat16_stays_near(generator) -> None:
    layer = make_feed_forward(CONFIG, 32).eval()
    tokens, ids = torch.randn(1, 200, 32, generator=generator), torch.arange(200) % 9
    exact = layer(tokens, group_ids=ids)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        rounded = layer(tokens, group_ids=ids).float()
    assert (rounded - exact).norm() < 0.02 * exact.norm()


def test_ids_go_up_to_the_number_of_pairs(tokens) -> None:
    assert CONFIG.groups == 9
    with pytest.raises(InputError, match="from 0 to 9, but there are 9 groups"):
        built()(tokens[:, :2], group_ids=torch.tensor([0, 9]))


def test_product_keys_name_every_pair_once() -> None:
    layout = Layout(views=3, height=4, width=4)
    keys = product_keys(view_keys(layout, 3), checkerboard_keys(layout, 3), 3)
    assert set(keys.tolist()) == set(range(9))
    assert torch.equal(keys // 3, view_keys(layout, 3))
    assert torch.equal(keys % 3, checkerboard_keys(layout, 3))
