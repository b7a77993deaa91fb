import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import elu, gelu, layer_norm
from torch.utils.flop_counter import FlopCounterMode

from models.layers.heads import HEADS, make_head
from models.layers.heads.residual_mlp import ResidualMLP
from models.layers.heads.sandwich import LipschitzHead, SandwichLayer, cayley

DIM, OUT = 6, 5
KINDS = sorted(HEADS)


def built(kind: str, seed: int = 0):
    """A head of random numbers in float64, away from where training starts."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        head = make_head(kind, DIM, OUT).double()
        with torch.no_grad():
            for parameter in head.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
    return head


def of_linear(head, x: Tensor) -> Tensor:
    return head.weight @ x


def of_residual_mlp(head, x: Tensor) -> Tensor:
    return head.fc2.weight @ gelu(head.fc1.weight @ x) + head.skip.weight @ x


def of_fourier(head, x: Tensor) -> Tensor:
    h, series = head.fc1.weight @ x, head.activation
    angle = series.frequency @ layer_norm(h, h.shape) + series.phase
    cosines, sines = series.combine.split(len(angle), dim=1)
    active = series.gelu_scale * gelu(h) + series.wave_scale * (cosines @ angle.cos() + sines @ angle.sin())
    return head.fc2.weight @ active + head.skip.weight @ x


def of_sandwich(head, x: Tensor) -> Tensor:
    """The orthonormal matrices through an explicit inverse."""

    def split(layer) -> tuple[Tensor, Tensor]:
        m = layer.out_features
        free = (layer.scale * layer.free / layer.free.square().sum().sqrt()).T
        x, y = free[:m], free[m:]
        a = x - x.T + y.T @ y
        inverse = torch.linalg.inv(torch.eye(m, dtype=x.dtype) + a)
        return (inverse @ (torch.eye(m, dtype=x.dtype) - a)).T, (-2 * y @ inverse).T

    x = math.sqrt(head.bound) * x
    for layer in head.sandwiches:
        a, b = split(layer)
        psi = torch.diag(layer.log_diagonal.exp())
        x = math.sqrt(2) * a.T @ psi @ elu(math.sqrt(2) * torch.linalg.inv(psi) @ b @ x + layer.bias)
    _, b = split(head.last)
    return math.sqrt(head.bound) * (b @ x + head.last.bias)


OF_ONE_TOKEN = {"linear": of_linear, "residual_mlp": of_residual_mlp, "fourier": of_fourier, "sandwich": of_sandwich}


@pytest.fixture
def tokens(generator) -> Tensor:
    return torch.randn(2, 7, DIM, dtype=torch.float64, generator=generator)


def test_every_head_has_a_plain_definition_to_be_compared_with():
    assert set(OF_ONE_TOKEN) == set(HEADS)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_its_definition(kind, training, tokens):
    head = built(kind).train(training)
    expected = torch.stack([torch.stack([OF_ONE_TOKEN[kind](head, x) for x in row]) for row in tokens])
    torch.testing.assert_close(head(tokens), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_derivatives(kind, tokens):
    head = built(kind)
    named = dict(head.named_parameters())

    def output(x, *values):
        return torch.func.functional_call(head, dict(zip(named, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(output, (tokens.requires_grad_(), *named.values()), fast_mode=True)


@pytest.mark.parametrize("kind", KINDS)
def test_counted_multiply_adds_are_those_stated(kind, tokens):
    head = built(kind).eval()
    head(tokens)
    with FlopCounterMode(display=False) as counter:
        head(tokens)
    assert counter.get_total_flops() == 2 * 14 * head.macs()


@pytest.mark.parametrize("kind", KINDS)
def test_state_dict_round_trip(kind, tokens):
    first, second = built(kind, seed=0).eval(), built(kind, seed=1).eval()
    assert not torch.allclose(second(tokens), first(tokens))
    second.load_state_dict(first.state_dict())
    assert torch.equal(second(tokens), first(tokens))


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_do_not_know_each_other(kind, tokens):
    head = built(kind).eval()
    torch.testing.assert_close(head(tokens[1:, 3:4]), head(tokens)[1:, 3:4], rtol=1e-10, atol=1e-12)
    strided = tokens.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    torch.testing.assert_close(head(strided), head(tokens), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_stays_near(kind, tokens):
    """Off by at most 3 % of the usual length."""
    head, exact = built(kind).float().eval(), built(kind).eval()(tokens)
    rounded = head.bfloat16()(tokens.bfloat16())
    off = (rounded.double() - exact).norm(dim=-1) / exact.norm(dim=-1).mean()
    assert 0 < off.max() < 0.03


@pytest.mark.parametrize("kind", ["residual_mlp", "fourier"])
def test_training_starts_from_the_linear_head(kind, tokens):
    head = make_head(kind, DIM, OUT).double()
    assert torch.equal(head(tokens), head.skip(tokens))
    assert isinstance(head, ResidualMLP)
    assert head.hidden_width == 2 * DIM


@pytest.mark.parametrize("shape", [(4, 4), (3, 8), (1, 5)])
def test_cayley_rows_are_orthonormal(shape, generator):
    q = cayley(torch.randn(shape, dtype=torch.float64, generator=generator))
    torch.testing.assert_close(q @ q.T, torch.eye(shape[0], dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")  # torch's own, on first use
@pytest.mark.parametrize("bound", [0.5, 1.0, 3.0])
def test_no_direction_is_stretched_beyond_the_bound(bound, generator):
    """Trained to stretch as much as it can, the head comes near the bound and does not pass it."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        head = LipschitzHead(3, 4, hidden=8, layers=2, bound=bound).double()
    x, y = 2 * torch.randn(2, 64, 3, dtype=torch.float64, generator=generator)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        (-(head(x) - head(y)).norm(dim=-1) / (x - y).norm(dim=-1)).mean().backward()
        optimiser.step()
    v = torch.nn.functional.normalize(torch.randn(64, 3, dtype=torch.float64, generator=generator), dim=-1)
    _, change = torch.func.jvp(head, (x,), (v,))
    stretch = change.norm(dim=-1).max().item()
    assert 0.8 * bound < stretch <= bound * (1 + 1e-12)


def test_a_single_layer_reaches_the_bound():
    """With zero bias, one positive input and A = B the map is the identity on the positive side."""
    layer = SandwichLayer(1, 1).double().eval()
    layer._solved = torch.full((1, 2), math.sqrt(0.5), dtype=torch.float64)
    x = torch.tensor([[2.0], [5.0]], dtype=torch.float64)
    torch.testing.assert_close(layer(x), x)


def test_use_solves_once_and_notices_new_numbers(tokens, monkeypatch):
    solves = []
    monkeypatch.setattr("models.layers.heads.sandwich.cayley", lambda wide: solves.append(1) or cayley(wide))
    head = built("sandwich").eval()
    head(tokens)
    first = len(solves)
    head(tokens)
    assert len(solves) == first == 3
    head.load_state_dict(built("sandwich", seed=1).state_dict())
    torch.testing.assert_close(head(tokens), built("sandwich", seed=1).eval()(tokens))


def test_a_cast_or_training_forgets_what_was_solved_for(tokens):
    head = built("sandwich").eval()
    head(tokens)
    assert head.float()(tokens.float()).dtype == torch.float32
    with torch.no_grad():
        head.train()
        head.last.free.add_(1)
    after = head(tokens.float())
    torch.testing.assert_close(head.eval()(tokens.float()), after)
