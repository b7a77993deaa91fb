"""Projections for each group of tokens, and those whose ranks differ by what they carry."""

import pytest
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.layers.attentions import ATTENTIONS, CrossAttention, make_attention
from models.layers.attentions.grouped_projection import GroupedProjection
from models.layers.config import AttentionConfig, LinearConfig
from models.layers.contracts import Attention, Layout
from models.layers.linears import Stacked
from recon.errors import InputError

LAYOUT = Layout(views=2, height=2, width=3, prefix=1)
IDS = torch.arange(LAYOUT.length) % 3
GROUPED = ["full", "per_view", "pruned_keys"]
grouped = pytest.mark.parametrize("kind", GROUPED)
LOW = LinearConfig("lowrank", rank=0.25)


def build(config: AttentionConfig, dim: int = 24, head_dim: int = 6, seed: int = 0) -> Attention:
    torch.manual_seed(seed)
    return make_attention(config, dim, head_dim).double()


def tokens(layout: Layout = LAYOUT, batch: int = 2, dim: int = 24) -> Tensor:
    return torch.randn(batch, layout.length, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@grouped
def test_equal_matrices_for_all_groups_are_one_shared_matrix(kind: str) -> None:
    plain, layer = build(AttentionConfig(kind)), build(AttentionConfig(kind, experts=3))
    state = plain.state_dict()
    for name in ("qkv.weight", "proj.weight"):
        state[name] = state[name].repeat(3, 1)
    layer.load_state_dict(state)
    torch.testing.assert_close(layer(tokens(), layout=LAYOUT, group_ids=IDS), plain(tokens(), layout=LAYOUT))


@grouped
def test_gradients_of_input_and_parameters(kind: str) -> None:
    layer, layout = build(AttentionConfig(kind, experts=2), dim=4, head_dim=2), Layout(2, 1, 2)
    ids = torch.tensor([0, 1, 1, 0])
    names = [name for name, _ in layer.named_parameters()]

    def run(x: Tensor, *values: Tensor) -> Tensor:
        told = {"layout": layout, "group_ids": ids}
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,), told)

    values = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    assert torch.autograd.gradcheck(run, (tokens(layout, 1, 4).requires_grad_(), *values), fast_mode=True)


@grouped
def test_multiply_adds_are_those_that_torch_counts_and_those_of_one_group(kind: str) -> None:
    layout = Layout(2, 4, 6)
    layer = build(AttentionConfig(kind, experts=3)).eval()
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(tokens(layout, batch=1), layout=layout, group_ids=torch.arange(layout.length) % 3)
    assert layer.macs(layout) == counter.get_total_flops() // 2 == build(AttentionConfig(kind)).macs(layout)


@grouped
def test_state_round_trip_strides_and_a_group_without_tokens(kind: str) -> None:
    config = AttentionConfig(kind, experts=4)
    layer, other, x = build(config), build(config, seed=2), tokens()
    layer.finalise()
    other.load_state_dict(layer.state_dict(), strict=True)
    told = {"layout": LAYOUT, "group_ids": IDS}
    assert torch.equal(other(x, **told), layer(x, **told))
    strided = x.transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(other(strided, **told), layer(x, **told))


@grouped
def test_scenes_may_have_groups_of_their_own_and_do_not_know_each_other(kind: str) -> None:
    layer, x = build(AttentionConfig(kind, experts=3)).eval(), tokens()
    ids = torch.stack([IDS, (IDS + 1) % 3])
    together = layer(x, layout=LAYOUT, group_ids=ids)
    for row in range(2):
        alone = layer(x[row : row + 1], layout=LAYOUT, group_ids=ids[row])
        torch.testing.assert_close(together[row : row + 1], alone)


@grouped
def test_bfloat16_is_near(kind: str) -> None:
    layer, x = build(AttentionConfig(kind, experts=3), dim=64, head_dim=16).float(), tokens(dim=64).float()
    exact = layer(x, layout=LAYOUT, group_ids=IDS)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = layer(x, layout=LAYOUT, group_ids=IDS)
    assert (rounded.float() - exact).norm() < 0.03 * exact.norm()


@grouped
def test_groups_must_be_there(kind: str) -> None:
    layer = build(AttentionConfig(kind, experts=2))
    with pytest.raises(InputError, match="no group ids"):
        layer(tokens(), layout=LAYOUT)
    with pytest.raises(InputError, match="from 0 to 2, but there are 2 groups"):
        layer(tokens(), layout=LAYOUT, group_ids=IDS)


@pytest.mark.parametrize("kind", sorted(set(ATTENTIONS) - set(GROUPED)))
def test_groups_are_refused_where_what_is_projected_has_none(kind: str) -> None:
    with pytest.raises(InputError, match="2 groups of tokens in"):
        build(AttentionConfig(kind, experts=2))


def test_groups_are_refused_for_a_memory_and_for_structured_maps() -> None:
    with pytest.raises(InputError, match="in cross-attention"):
        CrossAttention(24, 6, config=AttentionConfig(experts=2))
    with pytest.raises(InputError, match="plain matrices, not lowrank maps"):
        build(AttentionConfig(experts=2, linear=LOW))


@pytest.mark.parametrize("kind", ["full", "per_view", "pruned_keys", "pooled_keys"])
def test_values_and_answers_have_three_times_the_rank_of_scores(kind: str) -> None:
    layer = build(AttentionConfig(kind, linear=LOW, value_rank=3.0))
    maps = dict(zip("qkv", layer.qkv.maps, strict=True)) if kind != "pooled_keys" else dict(layer.named_children())
    ranks = {name: maps[name].input_core.shape[1] for name in "qkv"} | {"proj": layer.proj.input_core.shape[1]}
    assert ranks == {"q": 6, "k": 6, "v": 18, "proj": 18}
    x = tokens()
    other = build(AttentionConfig(kind, linear=LOW, value_rank=3.0), seed=1)
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(x, layout=LAYOUT), layer(x, layout=LAYOUT))


def test_rank_is_never_more_than_full() -> None:
    layer = build(AttentionConfig(linear=LOW, value_rank=30.0))
    assert layer.proj.input_core.shape[1] == 24


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (AttentionConfig(value_rank=3.0), "3 with dense maps"),
        (AttentionConfig(value_rank=3.0, linear=LinearConfig("btt")), "3 with btt maps"),
        (AttentionConfig(value_rank=3.0, linear=LinearConfig("lowrank", self_guided=True)), "with lowrank maps"),
        (AttentionConfig("inception", value_rank=3.0, linear=LOW), "3 in inception"),
        (AttentionConfig("multires_conv", value_rank=3.0, linear=LOW), "3 in multires_conv"),
    ],
)
def test_ranks_that_cannot_be_shared_out_are_refused(config: AttentionConfig, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        build(config)
    assert caught.value.hint


def test_every_expert_is_taught() -> None:
    layer = GroupedProjection(4, 6, 3).double()
    layer(tokens(dim=4), IDS).square().sum().backward()
    assert all(part.any() for part in layer.weight.grad.chunk(3))


def test_stacked_maps_are_in_a_layer_of_attention_only_where_ranks_differ() -> None:
    assert isinstance(build(AttentionConfig(linear=LOW, value_rank=2.0)).qkv, Stacked)
    assert not isinstance(build(AttentionConfig(linear=LOW)).qkv, Stacked)
