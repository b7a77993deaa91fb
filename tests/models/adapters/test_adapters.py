"""Adapters on a small network, all kinds alike."""

import copy
import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.adapters import (
    AdapterConfig,
    adapter_parameters,
    add_adapter,
    load_adapter,
    merge_adapter,
    remove_adapter,
    save_adapter,
)
from models.adapters.svft import SVFTLinear, singular_vectors
from models.compression.stored import FormTarget, Target, WidthTarget, shrink_weights
from models.hub import load_pretrained, save_pretrained
from models.ilrm.nano.network import NanoILRM
from models.ilrm.processor import Processor
from models.layers.config import BlockConfig, FeedForwardConfig, LinearConfig
from recon.errors import CheckpointError, InputError, ReconError, ResourceError
from tests.models.walls import SMALL

KINDS = [
    AdapterConfig("lora", rank=3, alpha=5.0),
    AdapterConfig("asymmetric_lora", rank=4),
    AdapterConfig("c3a", block=8),
    AdapterConfig("fourierft", frequencies=50),
    AdapterConfig("svft", band=2),
]
by_kind = pytest.mark.parametrize("config", KINDS, ids=lambda c: c.kind)
BASE = {"network_name": "ilrm-nano", "weights_sha256": "ab" * 32}


def processor() -> Processor:
    torch.manual_seed(0)
    return Processor(16, 8, 1)


def inputs(seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 2, 6, 16, generator=generator), torch.randn(2, 2, 9, 16, generator=generator)


def trained(config: AdapterConfig) -> Processor:
    """A network whose adapter has gone a few steps."""
    return copy.deepcopy(training(config, 2)[0])


@cache
def training(config: AdapterConfig, steps: int) -> tuple[Processor, list[float]]:
    """A network whose adapter went some steps towards what a network with other weights says, and the losses."""
    torch.manual_seed(1)
    goal = Processor(16, 8, 1)(*inputs()).detach()
    network = processor()
    add_adapter(network, config)
    rate = {"c3a": 0.3, "fourierft": 0.02, "svft": 0.05}.get(config.kind, 0.02)
    optimizer = torch.optim.Adam(adapter_parameters(network, config).values(), lr=rate)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (network(*inputs()) - goal).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return network, losses


@by_kind
def test_an_adapter_changes_nothing_at_first(config: AdapterConfig) -> None:
    network = processor()
    before = network(*inputs())
    names = add_adapter(network, config)
    assert len(names) == 10
    assert torch.equal(network(*inputs()), before)


@by_kind
def test_the_loss_falls(config: AdapterConfig) -> None:
    _, losses = training(config, 30)
    assert losses[-1] < 0.3 * losses[0]


@by_kind
def test_merged_equals_unmerged_and_has_the_old_names(config: AdapterConfig) -> None:
    network = trained(config)
    unmerged, plain = network(*inputs(5)), processor()
    assert not torch.allclose(unmerged, plain(*inputs(5)), atol=1e-3)
    merge_adapter(network)
    torch.testing.assert_close(network(*inputs(5)), unmerged, atol=1e-5, rtol=1e-5)
    plain.load_state_dict(network.state_dict(), strict=True)
    assert all(parameter.requires_grad for parameter in network.parameters())


@by_kind
def test_removed_is_as_before(config: AdapterConfig) -> None:
    network = trained(config)
    remove_adapter(network)
    expected = processor().state_dict()
    assert network.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())
    add_adapter(network, config)


@by_kind
def test_only_the_adapter_gets_gradients(config: AdapterConfig) -> None:
    network = processor()
    add_adapter(network, config)
    network(*inputs()).square().sum().backward()
    with_gradient = {id(p) for p in network.parameters() if p.grad is not None}
    assert with_gradient == {id(p) for p in adapter_parameters(network, config).values()}
    assert with_gradient == {id(p) for p in network.parameters() if p.requires_grad}


@by_kind
def test_numbers_of_parameters_follow_the_formulas(config: AdapterConfig) -> None:
    """For m outputs and n inputs."""
    formulas = {
        "lora": lambda m, n: 3 * (m + n),
        "asymmetric_lora": lambda m, n: 4 * m,
        "c3a": lambda m, n: m * n // 8,
        "fourierft": lambda m, n: 50,
        "svft": lambda m, n: 5 * min(m, n) - 6,
    }
    network = processor()
    shapes = {name: part.weight.shape for name, part in network.named_modules() if isinstance(part, nn.Linear)}
    names = add_adapter(network, config)
    parameters = adapter_parameters(network, config)
    for name in names:
        expected = formulas[config.kind](*shapes[name])
        own = [p for key, p in parameters.items() if key.rpartition(".")[0] == name]
        assert sum(p.numel() for p in own) == expected == config.num_parameters(*shapes[name])


@by_kind
def test_an_adapter_trains_in_bfloat16_beside_float32_weights(config: AdapterConfig) -> None:
    network = trained(config)
    whole = network(*inputs()).detach()
    with torch.autocast("cpu", torch.bfloat16):
        half = network(*inputs())
    half.float().square().sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in adapter_parameters(network, config).values())
    assert float((half.float() - whole).detach().norm() / whole.norm()) < 0.05


@by_kind
def test_random_state_is_left_alone_and_the_seed_decides(config: AdapterConfig) -> None:
    networks = [processor() for _ in range(2)]
    torch.manual_seed(4)
    before = torch.get_rng_state()
    for network in networks:
        add_adapter(network, config)
    assert torch.equal(torch.get_rng_state(), before)
    states = [network.state_dict() for network in networks]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


@by_kind
def test_through_files_and_back(config: AdapterConfig, tmp_path: Path) -> None:
    network = trained(config)
    save_adapter(tmp_path / "a", network, config, **BASE)
    again = processor()
    assert load_adapter(tmp_path / "a", again, **BASE) == config
    torch.testing.assert_close(again(*inputs(3)), network(*inputs(3)), atol=1e-6, rtol=1e-6)
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"adapter.json", "adapter.safetensors"}
    numbers = sum(p.numel() for p in adapter_parameters(network, config).values())
    assert sum(value.numel() for value in load_file(tmp_path / "a" / "adapter.safetensors").values()) == numbers + 40


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights_sha256": "cd" * 32}, "belongs to weights of"),
        ({"network": "ilrm"}, "belongs to weights of ilrm"),
        ({"version": 2}, "is of version 2, expected 1"),
        ({"adapter": {"kind": "lora", "rank": 4, "alpha": 5.0}}, "has shape"),
        ({"adapter": {"kind": "lora", "rank": 999}}, "rank is 999, expected at most 16"),
        ({"adapter": {"kind": "lora", "rank": 0}}, "does not describe an adapter"),
        ({"adapter": {"kind": "lora", "rank": "3"}}, "adapter.rank is a str"),
        ({"adapter": {"kind": "exec"}}, "adapter.kind is 'exec'"),
        ({"adapter": {"path": "x"}}, "unknown setting 'path'"),
        ({"adapter": {"kind": "svft"}}, "missing"),
        ({"adapter": {"kind": "lora", "rank": 3, "alpha": 6.0}}, "does something else here"),
    ],
)
def test_files_that_do_not_fit_leave_the_network_alone(change: dict, said: str, tmp_path: Path) -> None:
    network = trained(KINDS[0])
    save_adapter(tmp_path, network, KINDS[0], **BASE)
    settings = json.loads((tmp_path / "adapter.json").read_text())
    (tmp_path / "adapter.json").write_text(json.dumps(settings | change))
    refuse_to_load(tmp_path, said)


def refuse_to_load(folder: Path, said: str) -> None:
    plain = processor()
    with pytest.raises(CheckpointError, match=said):
        load_adapter(folder, plain, **BASE)
    expected = processor().state_dict()
    assert {name: bool(torch.equal(v, expected[name])) for name, v in plain.state_dict().items()} == dict.fromkeys(
        expected, True
    )


def test_other_singular_vectors_are_noticed(tmp_path: Path) -> None:
    """As if another library had given one pair of vectors the other sign."""
    config = KINDS[-1]
    network = trained(config)
    wrapper = network.get_submodule("blocks.0.read_ff.fc1")
    wrapper.left[:, 3].neg_()
    wrapper.right[3].neg_()
    save_adapter(tmp_path, network, config, **BASE)
    refuse_to_load(tmp_path, "fc1 does something else here")


@pytest.mark.parametrize("damage", ["missing", "not finite", "not a file of tensors", "too many"])
def test_damaged_numbers_are_refused(damage: str, tmp_path: Path) -> None:
    network = trained(KINDS[0])
    save_adapter(tmp_path, network, KINDS[0], **BASE)
    file = tmp_path / "adapter.safetensors"
    tensors = load_file(file)
    if damage == "missing":
        file.unlink()
    elif damage == "not finite":
        save_file({name: value * float("nan") for name, value in tensors.items()}, file)
    elif damage == "too many":
        save_file(tensors | {"more": torch.ones(1)}, file)
    else:
        file.write_bytes(b"\x80\x04pickle")
    refuse_to_load(tmp_path, "no such file|finite|not a safetensors|unexpected more")


def test_a_change_that_is_not_finite_is_not_merged() -> None:
    network = processor()
    add_adapter(network, KINDS[-1])
    network.get_submodule("blocks.1.mlp.fc2").band.data[0] = float("inf")
    before = {name: p.clone() for name, p in network.named_parameters()}
    with pytest.raises(CheckpointError, match=r"blocks\.1\.mlp\.fc2 is not finite"):
        merge_adapter(network)
    assert all(torch.equal(p, before[name]) for name, p in network.named_parameters())


@pytest.mark.parametrize(("targets", "number"), [("attention", 9), ("feed_forward", 4), ("blocks", 13), ("all", 16)])
def test_targets(targets, number: int) -> None:
    network = NanoILRM(SMALL)
    names = add_adapter(network, AdapterConfig("svft", targets=targets))
    assert len(names) == number
    assert all(("attn" in name or "cross" in name) for name in names) == (targets == "attention")


def test_structured_maps_take_no_adapter() -> None:
    maps = LinearConfig("lowrank")
    network = Processor(16, 8, 1, block=BlockConfig(feed_forward=FeedForwardConfig(linear=maps)))
    assert len(add_adapter(network, AdapterConfig("svft"))) == 6
    remove_adapter(network)
    with pytest.raises(InputError, match="no plain linear map for targets: feed_forward"):
        add_adapter(network, AdapterConfig("svft", targets="feed_forward"))


@pytest.mark.parametrize(
    ("block", "said", "target"),
    [
        (BlockConfig(feed_forward=FeedForwardConfig("nested")), "belongs to a nested layer", WidthTarget(1.0)),
        (BlockConfig(weight_condition=True), "is conditioned", FormTarget()),
    ],
    ids=["nested", "conditioned"],
)
def test_layers_that_would_pass_an_adapter_by_are_refused_until_they_are_plain(
    block: BlockConfig, said: str, target: Target, tmp_path: Path
) -> None:
    """What the hint says to do with weights makes them take one."""
    network = NanoILRM(replace(SMALL, block=block))
    save_pretrained(tmp_path / "in", "ilrm-nano", network, network.config)
    with pytest.raises(InputError, match=said) as caught:
        add_adapter(network, AdapterConfig("svft"))
    assert "recon weights convert" in caught.value.hint
    plain = load_pretrained(shrink_weights(tmp_path / "in", tmp_path / "out", target).folder).network
    assert len(add_adapter(plain, AdapterConfig("svft"))) == 10


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (AdapterConfig("lora", rank=17), "rank is 17, expected at most 16 for blocks.0.read_cross.q, 16 x 16"),
        (AdapterConfig("c3a", block=5), "block is 5, expected a divisor of 16"),
        (AdapterConfig("fourierft", frequencies=257), "frequencies is 257, expected at most 256"),
        (AdapterConfig("svft", band=16), "band is 16, expected less than 16"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(config: AdapterConfig, said: str) -> None:
    with pytest.raises(InputError, match=said):
        add_adapter(processor(), config)


@pytest.mark.parametrize("settings", [{"rank": 0}, {"band": -1}, {"alpha": 0.0}, {"scale": float("nan")}, {"seed": -1}])
def test_sizes_without_sense_are_refused(settings: dict) -> None:
    with pytest.raises(InputError, match=f"adapter.{next(iter(settings))}"):
        AdapterConfig(**settings)


def test_one_adapter_at_a_time() -> None:
    network = processor()
    for function in (merge_adapter, remove_adapter, lambda n: adapter_parameters(n, KINDS[0])):
        with pytest.raises(InputError, match="has no adapter"):
            function(network)
    add_adapter(network, KINDS[0])
    with pytest.raises(InputError, match="has an adapter already"):
        add_adapter(network, KINDS[-1])
    with pytest.raises(InputError, match="of another kind than svft"):
        adapter_parameters(network, KINDS[-1])


def test_without_peft_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    network = processor()
    with pytest.raises(ResourceError) as caught:
        add_adapter(network, KINDS[0])
    assert isinstance(caught.value, ReconError)
    assert "recon[adapters]" in caught.value.hint
    assert all(parameter.requires_grad for parameter in network.parameters())
    add_adapter(network, KINDS[-1])


def test_singular_vectors_and_a_band_against_dense_matrices(generator) -> None:
    base = nn.Linear(5, 7).double()
    layer = SVFTLinear(base, 1)
    layer.band.data = torch.randn(layer.band.shape, generator=generator, dtype=torch.float64)
    left, right = singular_vectors(base.weight)
    values = (left.T @ base.weight @ right.T).detach()
    torch.testing.assert_close(values, torch.linalg.svdvals(base.weight.detach()).diag())
    low, main, high = layer.band.detach().split([4, 5, 4])
    middle = torch.diag(low, -1) + torch.diag(main) + torch.diag(high, 1)
    torch.testing.assert_close(layer.delta().detach(), left @ middle @ right)
    x = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(layer(x), base(x) + x @ (left @ middle @ right).T)
    assert torch.autograd.gradcheck(lambda b: torch.func.functional_call(layer, {"band": b}, (x,)), (layer.band,))


def test_a_circulant_block_and_a_frequency_against_dense_matrices() -> None:
    """C3A: each block is the circulant of its kernel over the width; FourierFT: a wave over the whole matrix."""
    network = nn.ModuleDict({"a": nn.Linear(4, 4, bias=False)})
    config = AdapterConfig("c3a", targets="all", block=4)
    add_adapter(network, config)
    kernel = torch.tensor([1.0, 2.0, 3.0, 4.0])
    adapter_parameters(network, config)["a.kernel"].data.copy_(kernel.view(1, 1, 4))
    before = network["a"].base_layer.weight.clone()
    merge_adapter(network)
    change = (network["a"].weight - before).detach()
    torch.testing.assert_close(change[0].sort().values, kernel / 4)
    for row in range(1, 4):
        torch.testing.assert_close(change[row], change[0].roll(row))

    config = AdapterConfig("fourierft", targets="all", frequencies=1, scale=32.0, seed=3)
    add_adapter(network, config)
    adapter_parameters(network, config)["a.spectrum"].data.fill_(1)
    before = network["a"].base_layer.weight.clone()
    merge_adapter(network)
    change = (network["a"].weight - before).detach()
    steps = torch.arange(4) * (2 * torch.pi / 4)
    waves = [2 * torch.cos(u * steps[:, None] + v * steps) for u in range(4) for v in range(4)]
    assert any(torch.allclose(change, wave, atol=1e-5) for wave in waves)


@by_kind
def test_a_copy_of_an_adapted_network_is_one_of_its_own(config: AdapterConfig) -> None:
    """Moving averages of weights copy the network."""
    network = trained(config)
    twin = copy.deepcopy(network)
    before = twin(*inputs()).detach()
    for parameter in adapter_parameters(network, config).values():
        parameter.data.add_(0.1)
    assert torch.equal(twin(*inputs()), before)
    merge_adapter(twin)
