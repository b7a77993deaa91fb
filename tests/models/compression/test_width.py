"""Feed-forward layers lose hidden units: the first that stay, or those that matter."""

import copy

import pytest
import torch

from models.compression import convert_linears
from models.compression.width import cut_width
from models.layers.config import BlockConfig, FeedForwardConfig
from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.feedforwards.nested import NestedGelu
from recon.errors import InputError
from tests.models.compression.networks import blocks, drift, tokens


def with_layers(kind: str, dim: int = 32, **settings):
    return blocks(dim, BlockConfig(feed_forward=FeedForwardConfig(kind=kind, **settings)))  # pyright: ignore


@pytest.mark.parametrize("width", [0.25, 0.5, 1.0])
def test_a_cut_nested_network_computes_what_it_did_at_that_width(width):
    network = with_layers("nested")
    whole = copy.deepcopy(network)
    whole.width = width
    done = cut_width(network, width)
    assert drift(network, whole) < 1e-6
    assert done.units == 128 * width
    assert not any(isinstance(part, NestedGelu) for part in network.modules())


@pytest.mark.parametrize("kind", ["gelu", "swiglu"])
@pytest.mark.parametrize("parallel", [False, True])
def test_the_network_is_built_again_from_the_ratio(kind, parallel):
    config = BlockConfig(feed_forward=FeedForwardConfig(kind=kind, ratio=6.0), parallel=parallel)
    network = blocks(32, config)
    done = cut_width(network, 0.5)
    again = blocks(32, BlockConfig(feed_forward=FeedForwardConfig(kind=kind, ratio=done.ratio), parallel=parallel))
    again.load_state_dict(network.state_dict())
    assert drift(again, network) == 0
    assert {part.hidden_width for part in again.modules() if hasattr(part, "hidden_width")} == {done.units}


def test_all_units_are_kept_as_they_are():
    network = blocks()
    before = copy.deepcopy(network.state_dict())
    done = cut_width(network, 1.0)
    assert done.error == 0
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_units_without_effect_go_first_and_nothing_is_lost():
    network, generator = blocks(), torch.Generator().manual_seed(3)
    for layer in network.modules():
        if isinstance(layer, GeluFeedForward):
            idle = torch.randperm(layer.hidden_width, generator=generator)[: layer.hidden_width // 2]
            layer.fc2.weight.data[:, idle] = 0
    before = copy.deepcopy(network)
    done = cut_width(network, 0.5)
    assert drift(network, before) < 1e-6
    assert done.error < 1e-6


def test_fewer_units_are_a_larger_error_and_the_whole_lies_between_its_layers():
    errors = []
    for width in (0.25, 0.5, 0.75):
        done = cut_width(blocks(), width)
        assert min(done.errors.values()) <= done.error <= max(done.errors.values())
        errors.append(done.error)
    assert 1 > errors[0] > errors[1] > errors[2] > 0


def test_calibration_data_decides_which_units_stay():
    by_data, by_chance, network = blocks(), blocks(), blocks()
    error = cut_width(by_data, 0.25, lambda: by_data(*tokens(seed=2))).error
    assert cut_width(by_chance, 0.25).error != error
    assert drift(by_data, network) < drift(by_chance, network)


@pytest.mark.parametrize(
    ("kind", "width", "said"),
    [
        ("gelu", 0.0, "width: 0, expected a share"),
        ("gelu", 1.5, "width: 1.5, expected a share"),
        ("gelu", float("nan"), "width: nan"),
        ("nested", 0.3, "0.3 of the hidden width of a nested layer"),
        ("fast", 0.5, "a FastFeedForward, has no hidden units"),
        ("fourier", 0.5, "a FourierFeedForward, has no hidden units"),
    ],
)
def test_what_cannot_be_cut_is_refused_and_unchanged(kind, width, said):
    network = with_layers(kind)
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(InputError, match=said):
        cut_width(network, width)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_structured_matrices_cannot_be_cut():
    network = blocks()
    convert_linears(network, "lowrank", 0.5)
    with pytest.raises(InputError, match="has no hidden units"):
        cut_width(network, 0.5)
    with pytest.raises(InputError, match="no feed-forward layers"):
        cut_width(torch.nn.Linear(3, 3), 0.5)
