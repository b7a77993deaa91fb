"""A linear layer that remembers a random projection of its input."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from models.layers.linears import Dense
from models.layers.randomised_backward import RandomisedLinear
from recon.errors import InputError


def pair(share: float = 0.25, bias: bool = True, seed: int = 0) -> tuple[RandomisedLinear, Dense]:
    torch.manual_seed(0)
    layer, exact = RandomisedLinear(6, 5, share, bias=bias, seed=seed).double(), Dense(6, 5, bias=bias).double()
    exact.load_state_dict(layer.state_dict())
    return layer, exact


@pytest.fixture
def x(generator) -> torch.Tensor:
    return torch.randn(4, 10, 6, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("bias", [False, True])
def test_outputs_and_gradients_of_input_and_bias_are_exact(bias, x):
    layer, exact = pair(bias=bias)
    inputs = [x.clone().requires_grad_(), x.clone().requires_grad_()]
    outputs = [one(i) for one, i in zip((layer, exact), inputs, strict=True)]
    for y in outputs:
        (y**3).sum().backward()
    torch.testing.assert_close(outputs[0], outputs[1])
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    if bias:
        torch.testing.assert_close(layer.bias.grad, exact.bias.grad)


def recomputed(reentrant: bool) -> Callable[..., torch.Tensor]:
    return partial(checkpoint, use_reentrant=reentrant)


@pytest.mark.parametrize(
    "through",
    [lambda layer, x: layer(x), recomputed(False), recomputed(True)],
    ids=["kept", "recomputed", "recomputed by reentering"],
)
def test_gradients_of_the_weights_are_right_on_average(through, x):
    layer, exact = pair()
    (exact(x) ** 3).sum().backward()
    draws = []
    for _ in range(600):
        layer.weight.grad = None
        (through(layer, x.clone().requires_grad_()) ** 3).sum().backward()
        draws.append(layer.weight.grad)
    draws = torch.stack(draws)
    along = (draws * exact.weight.grad).sum((1, 2)) / exact.weight.grad.square().sum()
    assert abs(float(along.mean()) - 1) < 4.5 * float(along.std()) / len(draws) ** 0.5 < 0.2
    deviation = (draws.mean(0) - exact.weight.grad) / (draws.std(0) / len(draws) ** 0.5)
    assert draws.std(0).min() > 0
    assert deviation.abs().max() < 4.5  # standard errors
    assert 0.7 < float(deviation.square().mean()) < 1.5


def test_only_the_projection_is_kept(x):
    layer, _ = pair()
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.shape) or t, lambda t: t):
        layer(x)
    assert torch.Size([10, 6]) in kept
    assert not any(40 in shape for shape in kept)


def test_seeds_say_what_is_drawn(x):
    grads = []
    for seed in (3, 3, 4):
        layer, _ = pair(seed=seed)
        layer(x).square().sum().backward()
        grads.append(layer.weight.grad)
    assert torch.equal(grads[0], grads[1])
    assert not torch.equal(grads[0], grads[2])


def test_every_step_draws_anew_and_leaves_the_global_generator_alone(x):
    layer, _ = pair()
    state = torch.get_rng_state()
    grads = []
    for _ in range(2):
        layer.weight.grad = None
        layer(x).square().sum().backward()
        grads.append(layer.weight.grad)
    assert not torch.equal(*grads)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_single_row_is_exact(x):
    layer, exact = pair()
    for one in (layer, exact):
        one(x[:1, :1]).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, exact.weight.grad)


def test_it_trains_under_autocast(x):
    layer = pair()[0].float()
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x.float())
    y.float().square().sum().backward()
    assert y.dtype == torch.bfloat16
    assert layer.weight.grad.dtype == torch.float32
    assert layer.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_no_share_is_refused(share):
    with pytest.raises(InputError, match="share: "):
        RandomisedLinear(4, 4, share)
