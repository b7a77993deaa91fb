import pytest
import torch

from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.feedforwards.importance import hidden_importance, order_by_importance, order_hidden_units
from models.layers.feedforwards.nested import WIDTHS, NestedGelu, NestedSwiGLU
from models.layers.feedforwards.swiglu import SwiGLU
from recon.errors import InputError

NESTED = [lambda: NestedGelu(16, 4.0), lambda: NestedGelu(16, 4.0, bias=True), lambda: NestedSwiGLU(16, 4.0)]


@pytest.fixture(params=NESTED, ids=["gelu", "gelu with biases", "swiglu"])
def layer(request):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return request.param().double()


@pytest.fixture
def tokens(generator) -> torch.Tensor:
    return torch.randn(2, 30, 16, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_cut_is_a_plain_layer_that_computes_the_same(layer, width, tokens):
    cut = layer.cut(width)
    assert type(cut) in (GeluFeedForward, SwiGLU)
    torch.testing.assert_close(cut(tokens), layer(tokens, width=width), rtol=1e-12, atol=1e-12)
    assert all(parameter.is_contiguous() for parameter in cut.parameters())
    assert cut.macs(7, "eval") == layer.macs_at(7, width)
    assert cut.fc1.weight.untyped_storage().nbytes() == cut.fc1.weight.numel() * 8


@pytest.mark.parametrize("width", WIDTHS)
def test_other_units_do_not_count(layer, width, tokens):
    before = layer(tokens, width=width)
    with torch.no_grad():
        layer.fc2.weight[:, int(width * layer.hidden_width) :] = 1e6
    assert torch.equal(layer(tokens, width=width), before)


def test_a_width_that_is_not_there_is_refused_with_those_that_are(layer, tokens):
    with pytest.raises(InputError, match=r"0\.125, 0\.25, 0\.5, 1\.0"):
        layer(tokens, width=0.3)


def test_a_trained_dense_layer_can_be_loaded(tokens):
    dense, nested = GeluFeedForward(16), NestedGelu(16)
    nested.load_state_dict(dense.state_dict())
    tokens = tokens.float()
    assert torch.equal(dense(tokens), nested(tokens))


def test_gradients_of_a_width_are_derivatives(layer, generator):
    x = torch.randn(1, 3, 16, dtype=torch.float64, generator=generator, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x, width=0.25), (x, *layer.parameters()), fast_mode=True)


def test_order_of_units_does_not_change_the_layer(layer, tokens, generator):
    before = layer(tokens)
    order_hidden_units(layer, torch.randperm(layer.hidden_width, generator=generator))
    torch.testing.assert_close(layer(tokens), before, rtol=1e-12, atol=1e-12)


def test_units_that_matter_come_first(layer, tokens):
    """One unit in four is strong; after ordering, a quarter of the width is nearly the whole layer."""
    with torch.no_grad():
        weak = torch.arange(layer.hidden_width) % 4 != 2
        layer.fc2.weight[:, weak] *= 1e-3
    full, before = layer(tokens), layer(tokens, width=0.25)
    normed = layer.norm(tokens)
    order_by_importance(layer, normed)
    importance = hidden_importance(layer, normed)
    assert (importance[1:] <= importance[:-1] + 1e-12).all()
    error = (layer(tokens, width=0.25) - full).norm() / full.norm()
    assert error < 0.02 < (before - full).norm() / full.norm()
