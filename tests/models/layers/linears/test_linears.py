"""What holds for every linear map."""

import copy
import math

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from models.layers.config import LinearConfig
from models.layers.contracts import Linear
from models.layers.linears import LINEARS, Blast, BlockShuffle, make_linear
from recon.errors import InputError
from tests.models.layers.linears.families import ALL, CONFIGS, SIZES, small


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("name", ALL)
def test_multiplies_by_the_matrix_that_it_materialises(name, n, m, generator):
    layer = small(name, n, m)
    x = torch.randn(2, 5, n, generator=generator, dtype=torch.float64)
    expected = x @ layer.materialise().T + layer.bias
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ALL)
def test_gradients_are_those_of_finite_differences(name, generator):
    layer = small(name, 4, 8)
    x = torch.randn(2, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    names, values = zip(*layer.named_parameters(), strict=True)

    def run(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), x)

    assert torch.autograd.gradcheck(run, (x, *values))


@pytest.mark.parametrize("name", ALL)
def test_the_materialised_matrix_is_differentiable(name):
    layer = small(name)
    layer.materialise().square().sum().backward()
    assert all(core.grad is not None and core.grad.abs().sum() > 0 for core, _ in layer.cores())


@pytest.mark.parametrize("name", ALL)
def test_macs_are_those_that_torch_counts(name):
    layer = small(name, bias=False)
    with FlopCounterMode(display=False) as counter:
        layer(torch.zeros(7, 16, dtype=torch.float64))
    structured = getattr(layer, "structured", layer)
    weighting = structured.diagonal.numel() if isinstance(structured, Blast) else 0  # elementwise, which is not counted
    assert layer.macs() - weighting == counter.get_total_flops() / 2 / 7


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(1, 16), (0, 16), (2, 0, 16), (16,)])
def test_any_number_of_vectors(name, shape, generator):
    layer, x = small(name), torch.randn(shape, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(layer(x), x @ layer.materialise().T + layer.bias, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ALL)
def test_strides_of_the_input_do_not_matter(name, generator):
    layer, x = small(name), torch.randn(16, 3, 5, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(layer(x.permute(2, 1, 0)), layer(x.permute(2, 1, 0).contiguous()))


@pytest.mark.parametrize("name", ALL)
def test_vectors_do_not_see_each_other(name, generator):
    layer, x = small(name), torch.randn(9, 16, generator=generator, dtype=torch.float64)
    order = torch.randperm(9, generator=generator)
    torch.testing.assert_close(layer(x)[order], layer(x[order]), rtol=0, atol=1e-12)
    torch.testing.assert_close(layer(x)[:1], layer(x[:1]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_state_dict_round_trip(name, generator):
    first, second = small(name, seed=0), small(name, seed=1)
    second.load_state_dict(first.state_dict())
    x = torch.randn(3, 16, generator=generator, dtype=torch.float64)
    assert torch.equal(first(x), second(x))


@pytest.mark.parametrize("name", ALL)
def test_bfloat16_is_within_two_percent(name, generator):
    layer, x = small(name).float(), torch.randn(64, 16, generator=generator)
    exact = layer(x)
    for drifted in (copy.deepcopy(layer).bfloat16()(x.bfloat16()), _autocast(layer, x)):
        assert drifted.dtype == torch.bfloat16
        assert (drifted.float() - exact).norm() < 0.02 * exact.norm()


def _autocast(layer, x):
    with torch.autocast("cpu", torch.bfloat16):
        return layer(x)


@pytest.mark.parametrize("name", ALL)
def test_every_number_is_in_one_group_of_the_optimiser(name):
    layer = small(name)
    grouped = [id(p) for group in layer.param_groups(1e-3) for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in layer.parameters())


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize(("n", "m"), [(64, 256), (256, 64), (144, 144)])
def test_fresh_layers_keep_the_size_of_their_input(name, n, m, generator):
    torch.manual_seed(3)
    y = make_linear(CONFIGS[name], n, m)(torch.randn(500, n, generator=generator))
    least = 0.8 if CONFIGS[name].kind in ("block_shuffle", "block_dense", "blast") else 0.45
    assert least < float(y.detach().square().mean().sqrt()) < 1.25


@pytest.mark.parametrize(
    ("config", "share"),  # of two layers 768 -> 3072 -> 768
    [
        (LinearConfig("lowrank", rank=0.25), 0.3125),
        (LinearConfig("lowrank"), 0.625),
        (LinearConfig("block_shuffle", blocks=2), 0.625),
        (LinearConfig("block_shuffle"), 0.3125),
        (LinearConfig("block_shuffle", blocks=8), 0.15625),
        (LinearConfig("block_dense"), 0.390625),
        (LinearConfig("blast", rank=0.25), 0.3138),
        (LinearConfig("blast", rank=0.25, blocks=8), 0.3177),
        (LinearConfig("btt"), 0.0547),
        (LinearConfig("btt", rank=4.0), 0.2187),
    ],
)
def test_shares_of_a_dense_feed_forward_layer(config, share):
    with torch.device("meta"):
        layers = [make_linear(config, 768, 3072), make_linear(config, 3072, 768)]
    numbers = sum(p.numel() for layer in layers for p in layer.parameters())
    if config.kind == "block_dense":  # the way up and the way down differ
        numbers = 2 * sum(p.numel() for p in layers[0].parameters())
        share = (384 * 192 + 384 * 3072) / (768 * 3072)
    assert numbers / (2 * 768 * 3072) == pytest.approx(share, abs=5e-5)


@pytest.mark.parametrize(
    ("config", "n", "m", "found"),
    [
        (LinearConfig("block_shuffle", blocks=5), 16, 64, "5 blocks do not divide"),
        (LinearConfig("block_dense", blocks=3), 16, 64, "3 blocks do not divide"),
        (LinearConfig("blast", blocks=0), 16, 64, "0 blocks do not divide"),
        (LinearConfig("blast", blocks=4), 16, 66, "4 blocks do not divide"),
        (LinearConfig("block_dense", blocks=8), 4, 64, "below its 8 blocks"),
        (LinearConfig("lowrank", rank=1.5), 16, 64, "rank: 1.5"),
        (LinearConfig("blast", rank=0.0), 16, 64, "rank: 0"),
        (LinearConfig("btt"), 17, 64, "a side of 17"),
        (LinearConfig("dense", self_guided=True), 16, 64, "self_guided: true with kind: dense"),
    ],
)
def test_impossible_sizes_are_refused_with_what_is_possible(config, n, m, found):
    with pytest.raises(InputError, match=found) as caught:
        make_linear(config, n, m)
    assert caught.value.hint


def test_all_kinds_follow_the_contract():
    for kind in LINEARS:
        assert isinstance(make_linear(LinearConfig(kind=kind), 16, 16), Linear)


def test_learning_rates_are_those_of_the_maximal_update_parametrisation():
    layer = BlockShuffle(64, 256, 4, bias=True)
    rates = [group["lr"] for group in layer.param_groups(1e-3)]
    assert rates == pytest.approx([1e-3 * 64 / 16 / 2, 1e-3 * 64 / 16 / 2, 1e-3])


def test_lowrank_starts_with_the_spectrum_of_a_random_matrix(generator):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(make_linear(LinearConfig("lowrank", rank=0.25), 64, 256).materialise().detach())
    assert float(values[0]) == pytest.approx(math.sqrt(256 / 64) + 1, rel=0.05)  # Marchenko and Pastur's edge
    assert float(values[16]) < 1e-5
