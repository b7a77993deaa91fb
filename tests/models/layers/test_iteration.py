import pytest
import torch
from torch import Tensor, nn

from models.layers.fixed_point import refine, relative_change
from models.layers.jacobi import jacobi_stack
from models.layers.linears import BlockShuffle, Dense
from models.layers.param_groups import param_groups
from recon.errors import InputError


def halfway(x: Tensor) -> Tensor:
    """Half the way to 1, at every step."""
    return (x + 1) / 2


def test_refining_ends_where_steps_become_small():
    start = torch.zeros(1, 4, dtype=torch.float64) + 3
    done = refine(halfway, start, repeat=50, stop=1e-3)
    assert done.steps == 11  # 2^-k over 1 + 2^(1-k) falls below 1e-3 at the 11th step
    torch.testing.assert_close(done.tokens, 1 + 2 * 0.5 ** torch.full((1, 4), 11.0, dtype=torch.float64))
    assert done.change.item() < 1e-3


def test_refining_without_a_stop_runs_all_steps():
    assert refine(halfway, torch.zeros(1, 4), repeat=7).steps == 7


def test_scenes_end_when_they_would_end_alone():
    start = torch.tensor([[1.001], [500.0], [1.0]], dtype=torch.float64)
    together = refine(halfway, start, repeat=50, stop=1e-3)
    alone = [refine(halfway, row[None], repeat=50, stop=1e-3) for row in start]
    torch.testing.assert_close(together.tokens, torch.cat([one.tokens for one in alone]), rtol=0, atol=0)
    assert together.steps == max(one.steps for one in alone)


def test_change_is_relative():
    x = torch.tensor([[3.0, 4.0]])
    torch.testing.assert_close(relative_change(x * 1.1, x), torch.tensor([0.1]))


def stack(depth: int = 6) -> list[nn.Module]:
    torch.manual_seed(0)
    return [nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(depth)]


def in_turn(layers: list[nn.Module], x: Tensor) -> list[Tensor]:
    states = []
    for layer in layers:
        x = layer(x)
        states.append(x)
    return states


def test_as_many_sweeps_as_layers_are_exact_and_the_first_ones_sooner():
    layers, x = stack(), torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
    exact = in_turn(layers, x)
    for sweeps in range(1, 7):
        found = jacobi_stack(layers, x, sweeps).states
        for i in range(sweeps):
            assert torch.equal(found[i], exact[i])
    assert not torch.allclose(jacobi_stack(layers, x, 3).states[-1], exact[-1])


def test_sweeps_cost_more_layer_runs_than_the_stack():
    assert jacobi_stack(stack(), torch.zeros(1, 8), sweeps=6).layer_runs == 6 + 5 + 4 + 3 + 2 + 1
    assert jacobi_stack(stack(), torch.zeros(1, 8), sweeps=1).layer_runs == 6


def test_states_of_a_similar_input_are_better_guesses_than_none():
    layers, x = stack(), torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
    exact, before = in_turn(layers, x)[-1], in_turn(layers, x + 0.01)
    cold = (jacobi_stack(layers, x, 2).states[-1] - exact).norm()
    warm = (jacobi_stack(layers, x, 2, before).states[-1] - exact).norm()
    assert warm < 0.1 * cold


def test_what_cannot_be_swept_is_said():
    with pytest.raises(InputError, match="0 sweeps"):
        jacobi_stack(stack(), torch.zeros(1, 8), sweeps=0)
    with pytest.raises(InputError, match="1 guesses for 6 layers"):
        jacobi_stack(stack(), torch.zeros(1, 8), 1, [torch.zeros(1, 8)])


def test_a_dense_network_has_two_groups():
    network = nn.Sequential(Dense(4, 8, bias=True), nn.LayerNorm(8), Dense(8, 4))
    decayed, plain = param_groups(network, lr=0.1, weight_decay=0.02)
    assert [p.shape for p in decayed["params"]] == [(8, 4), (4, 8)]
    assert [len(p.shape) for p in plain["params"]] == [1, 1, 1]
    assert (decayed["lr"], decayed["weight_decay"], plain["lr"], plain["weight_decay"]) == (0.1, 0.02, 0.1, 0.0)


def test_structured_matrices_have_rates_of_their_own_and_nothing_is_left_out():
    network = nn.Sequential(Dense(16, 16), BlockShuffle(16, 32, 4, bias=True), nn.LayerNorm(32))
    groups = param_groups(network, lr=0.1, weight_decay=0.02)
    assert sorted(id(p) for g in groups for p in g["params"]) == sorted(id(p) for p in network.parameters())
    rates = {id(p): (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    for core, fan_in in network[1].cores():
        assert rates[id(core)] == (pytest.approx(0.1 * 16 / fan_in / 2), 0.02)
    assert rates[id(network[1].bias)] == (0.1, 0.0)
    torch.optim.AdamW(groups)
