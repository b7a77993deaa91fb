"""Networks with dense matrices become networks with structured ones."""

import copy
from dataclasses import replace

import pytest
import torch

from models.compression import block_linears, config_within, convert_linears, record_input_rms
from models.compression.sizing import count_numbers
from models.ilrm.processor import Processor
from models.layers.config import BlockConfig, FeedForwardConfig
from models.layers.linears import LINEARS, Dense, Factored
from recon.errors import InputError
from tests.models.compression.networks import blocks, drift, tokens

KINDS = [kind for kind in LINEARS if kind != "dense"]
SHAPES = [(768, 2304), (768, 768)]


@pytest.fixture(autouse=True)
def few_sweeps(monkeypatch):
    """Fits of BLAST that end early, to be quick."""
    monkeypatch.setattr("models.layers.linears.blast_fit.LEAST_GAIN", 0.02)


def rebuilt(configs) -> Processor:
    """A network built from the configs of a conversion."""
    own = BlockConfig()
    return Processor(
        *(32, 16, 1),
        block=replace(
            own,
            attention=replace(own.attention, linear=configs["attention"]),
            feed_forward=replace(own.feed_forward, linear=configs["feed_forward"]),
        ),
    ).eval()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("budget", [0.4, 0.6])
def test_a_converted_network_keeps_the_budget_and_is_built_again_from_its_configs(kind, budget):
    network = blocks()
    before = {part: sum(x.weight.numel() for x in found.values()) for part, found in block_linears(network).items()}
    conversion = convert_linears(network, kind, budget)
    assert not any(isinstance(part, Dense) for part in network.modules())
    assert conversion.numbers_before == sum(before.values())
    assert 0.2 * budget < conversion.numbers_after / conversion.numbers_before <= budget
    second = rebuilt(conversion.configs)
    second.load_state_dict(network.state_dict())
    assert drift(second, network) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_budget_changes_the_network_less(kind):
    changes, errors = [], []
    for budget in (0.4, 0.9):
        network = blocks()
        errors.append(convert_linears(network, kind, budget).errors)
        changes.append(drift(network, blocks()))
    assert changes[1] < changes[0] < 1
    assert sum(errors[1].values()) < sum(errors[0].values())
    assert all(0 < error < 1 for error in errors[0].values())


@pytest.mark.parametrize("kind", ["lowrank", "blast"])
def test_weighting_by_calibration_inputs_keeps_the_outputs_better(kind):
    plain, weighted, network = blocks(), blocks(), blocks()
    linears = {name: linear for part in block_linears(network).values() for name, linear in part.items()}
    rms = record_input_rms(linears, lambda: network(*tokens(seed=2)))
    convert_linears(plain, kind, 0.5)
    convert_linears(weighted, kind, 0.5, input_rms=rms)
    assert drift(weighted, network) < drift(plain, network)


def test_input_rms_is_that_of_the_rows_of_all_calls(generator):
    layer = Dense(4, 3)
    x, y = torch.randn(2, 5, 4, generator=generator), torch.randn(7, 4, generator=generator)
    rms = record_input_rms({"layer": layer}, lambda: (layer(x), layer(y)))
    expected = torch.cat([x.flatten(0, 1), y]).square().mean(0).sqrt()
    torch.testing.assert_close(rms["layer"], expected)
    assert not layer._forward_pre_hooks


def test_a_layer_without_calibration_data_is_named():
    with pytest.raises(InputError, match=r"1 of 1 layers saw no calibration data, the first is lost"):
        record_input_rms({"lost": Dense(4, 3)}, lambda: None)


def test_only_the_parts_asked_for_change():
    network = blocks()
    dense = {key: value for key, value in network.state_dict().items() if "mlp" in key or "read_ff" in key}
    conversion = convert_linears(network, "lowrank", 0.5, parts=("attention",))
    assert set(conversion.configs) == {"attention"}
    assert all(torch.equal(network.state_dict()[key], value) for key, value in dense.items())
    assert any(isinstance(part, Factored) for part in network.modules())


def test_a_matrix_that_already_is_of_the_kind_is_not_changed():
    network = blocks()
    for part in block_linears(network).values():
        for linear in part.values():
            left, right = torch.randn(linear.out_features, 3), torch.randn(3, linear.in_features)
            linear.weight.data = left @ right / 8
    before = copy.deepcopy(network)
    convert_linears(network, "lowrank", 0.5)
    assert drift(network, before) < 1e-5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("budget", [0.1, 0.5, 0.75])
def test_the_largest_size_within_the_budget_is_chosen(kind, budget):
    config = config_within(kind, SHAPES, budget)
    allowed = budget * sum(n * m for n, m in SHAPES)
    larger = {
        "block_shuffle": replace(config, blocks=max((k for k in range(1, config.blocks) if 768 % k == 0), default=1)),
        "btt": replace(config, rank=config.rank + 1),
        "block_dense": replace(config, rank=config.rank + 4 / 768),
    }.get(kind, replace(config, rank=config.rank + 1 / 768))
    assert sum(count_numbers(config, n, m) for n, m in SHAPES) <= allowed
    assert larger.rank > 1 or sum(count_numbers(larger, n, m) for n, m in SHAPES) > allowed


@pytest.mark.parametrize(
    ("kind", "budget", "found"),
    [
        ("blast", 0.0, "budget: 0"),
        ("blast", 1.0, "budget: 1"),
        ("blast", float("nan"), "budget: nan"),
        ("blast", 1e-5, "no blast fits into 1e-05"),
        ("dense", 0.5, "kind: dense"),
    ],
)
def test_impossible_budgets_are_refused(kind, budget, found):
    with pytest.raises(InputError, match=found) as caught:
        config_within(kind, SHAPES, budget)
    assert caught.value.hint


def test_what_cannot_be_converted_is_refused():
    network = blocks()
    convert_linears(network, "lowrank", 0.5)
    with pytest.raises(InputError, match="no plain matrices"):
        convert_linears(network, "blast", 0.5)
    nested = Processor(32, 16, 1, block=BlockConfig(feed_forward=FeedForwardConfig(kind="nested")))
    with pytest.raises(InputError, match="NestedGelu"):
        convert_linears(nested, "blast", 0.5)
    assert set(convert_linears(nested, "blast", 0.5, parts=("attention",)).configs) == {"attention"}


@pytest.mark.parametrize("kind", ["lowrank", "block_dense", "blast"])
def test_values_may_have_a_larger_share_of_the_rank_within_the_same_budget(kind):
    network = blocks()
    done = convert_linears(network, kind, 0.5, blocks=2, value_rank=3.0)
    assert 0.3 < done.numbers_after / done.numbers_before <= 0.5
    attention = replace(BlockConfig().attention, linear=done.configs["attention"], value_rank=3.0)
    feed_forward = replace(BlockConfig().feed_forward, linear=done.configs["feed_forward"])
    second = Processor(32, 16, 1, block=BlockConfig(attention, feed_forward)).eval()
    second.load_state_dict(network.state_dict())
    assert drift(second, network) == 0


def test_ranks_of_scores_and_values_are_as_one_to_three_and_use_the_budget_up():
    network = blocks(64)
    done = convert_linears(network, "lowrank", 0.5, parts=("attention",), value_rank=3.0)
    read = network.get_submodule("blocks.0.read_cross")
    rank = read.q.input_core.shape[1]
    assert [getattr(read, name).input_core.shape[1] for name in ("k", "v", "proj")] == [rank, 3 * rank, 3 * rank]
    share = network.get_submodule("blocks.1.attn")
    assert [part.input_core.shape[1] for part in share.qkv.maps] == [rank, rank, 3 * rank]
    more = 2 * 64 * (1 + 1 + 3 + 3) * 2  # one rank more in every matrix
    assert done.numbers_after <= 0.5 * done.numbers_before < done.numbers_after + more


def test_scores_that_need_few_directions_leave_them_to_the_values():
    """Queries and keys of rank one: with the ranks of LoRAP the same numbers change the network less."""
    changes = {}
    for value_rank in (1.0, 3.0):
        network, before = blocks(), blocks()
        for changed in (network, before):
            rows = [changed.get_submodule("blocks.1.attn").qkv.weight[:64]]
            rows += [changed.get_submodule(f"blocks.0.read_cross.{name}").weight for name in "qk"]
            for weight in rows:
                left, values, right = torch.linalg.svd(weight.detach(), full_matrices=False)
                weight.data.copy_(values[0] * left[:, :1] @ right[:1])
        convert_linears(network, "lowrank", 0.5, parts=("attention",), value_rank=value_rank)
        changes[value_rank] = drift(network, before)
    assert changes[3.0] < changes[1.0]
