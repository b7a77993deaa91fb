"""Dense feed-forward layers become experts: the same units, half of which run."""

import copy

import pytest
import torch

from models.compression.experts import into_experts
from models.layers.config import BlockConfig, FeedForwardConfig, LinearConfig
from models.layers.feedforwards.routed import RoutedFeedForward
from recon.errors import InputError
from tests.models.compression.networks import blocks, drift, tokens


def routed(network: torch.nn.Module) -> list[RoutedFeedForward]:
    return [part for part in network.modules() if isinstance(part, RoutedFeedForward)]


@pytest.mark.parametrize("parallel", [False, True])
def test_with_all_experts_nothing_changes_and_with_half_of_them_as_much_as_is_told(parallel: bool) -> None:
    network = blocks(32, BlockConfig(parallel=parallel))
    before = copy.deepcopy(network)
    done = into_experts(network, 4, lambda: network(*tokens()))
    assert done.top == 2
    assert 0 < min(done.errors.values()) <= done.error <= max(done.errors.values())
    assert drift(network, before) > 1e-3
    for layer in routed(network):
        layer.top = 4
    assert drift(network, before) < 1e-6
    assert len(done.errors) == len(routed(network)) == 2


def test_the_network_is_built_again_from_its_config() -> None:
    network = blocks()
    into_experts(network, 8)
    again = blocks(32, BlockConfig(feed_forward=FeedForwardConfig("routed", experts=8)))
    again.load_state_dict(network.state_dict())
    assert drift(again, network) == 0


def test_captures_decide_which_units_belong_together() -> None:
    by_data, by_chance, network = blocks(), blocks(), blocks()
    into_experts(by_data, 4, lambda: by_data(*tokens(seed=2)))
    into_experts(by_chance, 4)
    for first, second in zip(routed(by_data), routed(by_chance), strict=True):
        assert not torch.equal(first.up, second.up)
        assert torch.equal(first.up.norm(dim=1).sort().values, second.up.norm(dim=1).sort().values)
        first.top = second.top = 4
    torch.testing.assert_close(by_data(*tokens()), by_chance(*tokens()))
    assert drift(by_data, network) < 1e-6


@pytest.mark.parametrize(
    ("block", "experts", "said"),
    [
        (BlockConfig(), 5, "128 hidden units cannot make 5 equal experts"),
        (BlockConfig(), 0, "experts: 0, expected at least 1"),
        (BlockConfig(feed_forward=FeedForwardConfig("swiglu")), 4, "a SwiGLU, cannot be cut into experts"),
        (BlockConfig(feed_forward=FeedForwardConfig("nested")), 4, "a NestedGelu, cannot be"),
        (BlockConfig(feed_forward=FeedForwardConfig(linear=LinearConfig("lowrank"))), 4, "cannot be cut into experts"),
    ],
)
def test_what_cannot_be_cut_into_experts_stays_as_it_is(block: BlockConfig, experts: int, said: str) -> None:
    network = blocks(32, block)
    names = list(network.state_dict())
    with pytest.raises(InputError, match=said):
        into_experts(network, experts)
    assert list(network.state_dict()) == names
