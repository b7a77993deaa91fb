"""Structured matrices that are trained beside a dense one."""

import pytest
import torch
from torch import nn

from models.layers.linears import BlockShuffle, SelfGuided, finalise_guides, schedule_guides
from tests.models.layers.linears.families import GUIDED, small


@pytest.mark.parametrize("name", GUIDED)
def test_starts_as_its_structured_matrix(name):
    torch.manual_seed(0)
    layer = SelfGuided(small(name).structured)
    torch.testing.assert_close(layer.guide, layer.structured.materialise(), rtol=0, atol=0)
    assert float(layer.alpha) == 1


@pytest.mark.parametrize(("progress", "alpha"), [(0.0, 1), (0.125, 0.853553), (0.25, 0.5), (0.5, 0), (1.0, 0)])
def test_alpha_falls_along_a_cosine_until_half_time(progress, alpha):
    layer = SelfGuided(BlockShuffle(16, 16, 4))
    schedule_guides(nn.Sequential(layer), progress)
    assert float(layer.alpha) == pytest.approx(alpha, abs=1e-6)


@pytest.mark.parametrize("name", GUIDED)
def test_after_half_time_only_the_structured_matrix_counts(name, generator):
    layer = small(name)
    layer.schedule(0.5)
    x = torch.randn(3, 16, generator=generator, dtype=torch.float64)
    assert torch.equal(layer(x), layer.structured(x) + layer.bias)
    assert layer.macs() == layer.structured.macs()


@pytest.mark.parametrize("name", GUIDED)
@pytest.mark.parametrize("progress", [0.0, 0.5])
def test_dropping_the_dense_matrix_changes_nothing_at_either_end(name, progress, generator):
    layer = SelfGuided(small(name).structured, bias=True)
    layer.schedule(progress)
    x = torch.randn(3, 16, generator=generator, dtype=torch.float64)
    before = layer(x)
    finalise_guides(nn.Sequential(layer))
    torch.testing.assert_close(layer(x), before, rtol=0, atol=1e-12)
    assert not any("guide" in key or "alpha" in key for key in layer.state_dict())


@pytest.mark.parametrize("name", GUIDED)
def test_dropping_it_on_the_way_hands_over_what_it_carries(name, generator):
    layer = small(name)
    structured, mixed = layer.structured.materialise(), layer.materialise()
    layer.finalise()
    assert (layer.materialise() - mixed).norm() < (structured - mixed).norm()


@pytest.mark.parametrize("name", GUIDED)
def test_state_dict_round_trip_after_finalise(name, generator):
    first, second = small(name, seed=0), small(name, seed=1)
    for layer in (first, second):
        layer.finalise()
    second.load_state_dict(first.state_dict())
    x = torch.randn(3, 16, generator=generator, dtype=torch.float64)
    assert torch.equal(first(x), second(x))


def test_a_checkpoint_of_the_way_remembers_how_far_it_was(generator):
    first, second = SelfGuided(BlockShuffle(16, 16, 4)), SelfGuided(BlockShuffle(16, 16, 4))
    first.schedule(0.3)
    second.load_state_dict(first.state_dict())
    x = torch.randn(3, 16, generator=generator)
    assert torch.equal(first(x), second(x))


def test_finalising_twice_is_finalising_once():
    layer = SelfGuided(BlockShuffle(16, 16, 4))
    layer.finalise()
    before = layer.materialise()
    layer.finalise()
    layer.schedule(0.1)
    assert torch.equal(layer.materialise(), before)
