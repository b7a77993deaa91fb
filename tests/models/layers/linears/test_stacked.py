"""Maps one below the other are one map."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from models.layers.config import LinearConfig
from models.layers.linears import LowRank, Stacked, make_linear


def stacked(n: int = 12, seed: int = 0) -> Stacked:
    torch.manual_seed(seed)
    kinds = [LinearConfig("lowrank", rank=0.25), LinearConfig("btt"), LinearConfig("block_dense", blocks=2)]
    return Stacked([make_linear(kind, n, m) for kind, m in zip(kinds, (8, 6, 10), strict=True)]).double()


def test_multiplies_by_the_matrix_that_it_materialises(generator) -> None:
    layer, x = stacked(), torch.randn(2, 5, 12, generator=generator, dtype=torch.float64)
    assert (layer.in_features, layer.out_features) == (12, 24)
    torch.testing.assert_close(layer(x), x @ layer.materialise().T, rtol=0, atol=1e-10)
    assert torch.equal(layer(x)[..., 8:14], layer.maps[1](x))


def test_gradients_are_those_of_finite_differences(generator) -> None:
    layer, x = stacked(4), torch.randn(2, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    names, values = zip(*layer.named_parameters(), strict=True)

    def run(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), x)

    assert torch.autograd.gradcheck(run, (x, *values), fast_mode=True)


def test_macs_numbers_and_rates_are_those_of_the_maps() -> None:
    layer = stacked()
    with FlopCounterMode(display=False) as counter:
        layer(torch.zeros(7, 12, dtype=torch.float64))
    assert layer.macs() == counter.get_total_flops() / 2 / 7
    assert sum(core.numel() for core, _ in layer.cores()) == layer.macs()
    rates = {id(p): group["lr"] for group in layer.param_groups(1e-3) for p in group["params"]}
    own = {id(p): g["lr"] for part in layer.maps for g in part.param_groups(1e-3) for p in g["params"]}
    assert rates == own
    assert len(rates) == len(list(layer.parameters()))


def test_state_dict_round_trip(generator) -> None:
    first, second = stacked(seed=0), stacked(seed=1)
    second.load_state_dict(first.state_dict())
    x = torch.randn(3, 12, generator=generator, dtype=torch.float64)
    assert torch.equal(first(x), second(x))


@pytest.mark.parametrize("weighted", [False, True])
def test_each_map_comes_near_its_own_rows(weighted: bool, generator) -> None:
    weight = torch.randn(16, 12, generator=generator, dtype=torch.float64)
    rms = torch.rand(12, generator=generator) + 0.1 if weighted else None
    layer = Stacked([LowRank(12, 10, 3), LowRank(12, 6, 5)]).double()
    layer.approximate(weight, rms)
    alone = LowRank(12, 6, 5).double()
    alone.approximate(weight[10:], rms)
    torch.testing.assert_close(layer.materialise()[10:], alone.materialise())
    assert torch.linalg.matrix_rank(layer.materialise()[:10]) == 3
