"""Dense matrices become structured ones."""

import pytest
import torch

from models.layers.linears import BTT, Blast, LowRank, SelfGuided, make_linear
from tests.models.layers.linears.families import ALL, CONFIGS, SIZES, STRUCTURED, small

RECOVERED = {"blast": 0.1}  # not convex; the others are decompositions with one best answer


def relative_error(layer, weight: torch.Tensor) -> float:
    return float((layer.materialise().detach() - weight).norm() / weight.norm())


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("name", ALL)
def test_a_matrix_of_the_own_family_is_recovered(name, n, m):
    weight, layer = small(name, n, m, seed=0).materialise().detach(), small(name, n, m, seed=1)
    if isinstance(layer, SelfGuided):
        layer.schedule(1.0)
        weight = small(name, n, m, seed=0).structured.materialise().detach()
    layer.approximate(weight)
    assert relative_error(layer, weight) < RECOVERED.get(ALL[name].kind, 1e-10)


@pytest.mark.parametrize("name", STRUCTURED)
def test_nothing_near_the_answer_is_better(name, generator):
    weight = torch.randn(64, 16, generator=generator, dtype=torch.float64)
    layer = small(name)
    layer.approximate(weight)
    (layer.materialise() - weight).square().sum().backward()
    slope = torch.cat([core.grad.flatten() for core, _ in layer.cores()])
    assert slope.norm() < (0.1 if "blast" in name else 1e-10) * weight.norm()


@pytest.mark.parametrize("name", STRUCTURED)
def test_a_random_matrix_keeps_its_share(name, generator):
    weight = torch.randn(64, 64, generator=generator, dtype=torch.float64)
    layer = small(name, 64, 64)
    kept = 1 - relative_error(layer, weight) ** 2
    layer.approximate(weight)
    kept_now = 1 - relative_error(layer, weight) ** 2
    share = sum(core.numel() for core, _ in layer.cores()) / weight.numel()
    assert kept_now > max(kept, 0.8 * share)


def test_blast_never_is_worse_than_low_rank(generator):
    weight = torch.randn(48, 32, generator=generator)
    blast, lowrank = Blast(32, 48, 4, 6), LowRank(32, 48, 6)
    blast.approximate(weight)
    lowrank.approximate(weight)
    assert relative_error(blast, weight) < relative_error(lowrank, weight)


@pytest.mark.parametrize("name", STRUCTURED)
def test_weighting_by_the_inputs_serves_the_outputs(name, generator):
    weight = torch.randn(64, 48, generator=generator, dtype=torch.float64)
    rms = torch.linspace(0.05, 3, 48, dtype=torch.float64)[torch.randperm(48, generator=generator)]
    x = torch.randn(400, 48, generator=generator, dtype=torch.float64) * rms
    errors = []
    for weighted in (None, rms):
        layer = small(name, 48, 64, bias=False)
        layer.approximate(weight, input_rms=weighted)
        errors.append((layer(x) - x @ weight.T).norm())
    assert errors[1] < 0.97 * errors[0]


@pytest.mark.parametrize("name", CONFIGS)
def test_the_bias_stays(name, generator):
    layer = small(name)
    before = layer.bias.detach().clone()
    layer.approximate(torch.randn(64, 16, generator=generator, dtype=torch.float64))
    assert torch.equal(layer.bias, before)


@pytest.mark.parametrize("name", CONFIGS)
def test_zero_and_half_precision_matrices(name, generator):
    layer = make_linear(CONFIGS[name], 16, 64).bfloat16()
    layer.approximate(torch.zeros(64, 16))
    assert float(layer.materialise().detach().abs().max()) < 1e-6
    layer.approximate(torch.randn(64, 16, generator=generator).bfloat16())
    assert layer.materialise().dtype == torch.bfloat16
    assert layer.materialise().isfinite().all()


def test_normalised_cores_take_any_size(generator):
    weight = 50 * torch.randn(36, 16, generator=generator)
    free, normalised = BTT(16, 36), BTT(16, 36, normalise=True)
    free.approximate(weight)
    normalised.approximate(weight)
    torch.testing.assert_close(free.materialise(), normalised.materialise())
