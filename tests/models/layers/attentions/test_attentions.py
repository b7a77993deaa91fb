import pytest
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.layers.attentions import ATTENTIONS, CrossAttention, make_attention
from models.layers.config import AttentionConfig, LinearConfig
from models.layers.contracts import Attention, Layout, Ragged
from recon.errors import InputError
from tests.models.layers.attentions.oracles import ORACLES, answers, heads_of, normed_heads

LAYOUT = Layout(views=3, height=3, width=5, prefix=2)
KINDS = sorted(ATTENTIONS)
CONFIGS = [AttentionConfig(kind=kind) for kind in KINDS]
CONFIGS += [AttentionConfig(kind=kind, registers=3) for kind in KINDS if kind != "multires_conv"]
CONFIGS += [AttentionConfig(kind="full", qk_norm=False), AttentionConfig(kind="pooled_keys", pool=3)]
CONFIGS += [AttentionConfig(kind=kind, experts=3) for kind in ("full", "per_view", "pruned_keys")]
every_config = pytest.mark.parametrize(
    "config", CONFIGS, ids=lambda c: f"{c.kind}-{c.registers}-{c.qk_norm}-{c.pool}-{c.experts}"
)
every_kind = pytest.mark.parametrize("kind", KINDS)
training_or_not = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


def build(config: AttentionConfig, dim: int = 24, head_dim: int = 6, seed: int = 0) -> Attention:
    """A layer in float64 whose numbers are all of ordinary size, so that nothing hides behind a start at zero."""
    torch.manual_seed(seed)
    layer = make_attention(config, dim, head_dim).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter) / max(parameter.shape[-1], 4) ** 0.5 + (parameter.ndim == 1))
    return layer


def tokens(layout: Layout = LAYOUT, batch: int = 2, dim: int = 24) -> Tensor:
    return torch.randn(batch, layout.length, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_every_kind_has_an_oracle():
    assert ORACLES.keys() == ATTENTIONS.keys()


@every_config
@training_or_not
def test_equals_loops_over_tokens(config: AttentionConfig, training: bool):
    layer = build(config).train(training)
    x = tokens()
    expected = torch.stack([ORACLES[config.kind](layer, layer.norm(sample), LAYOUT) for sample in x])
    ids = torch.arange(LAYOUT.length) % config.experts
    torch.testing.assert_close(layer(x, layout=LAYOUT, group_ids=ids), expected, rtol=1e-10, atol=1e-10)


@every_kind
@pytest.mark.parametrize("layout", [Layout(1, 1, 1), Layout(1, 1, 1, prefix=1), Layout(2, 1, 3)], ids=str)
def test_equals_loops_on_the_smallest_maps(kind: str, layout: Layout):
    layer = build(AttentionConfig(kind=kind))
    x = tokens(layout, batch=1)
    expected = ORACLES[kind](layer, layer.norm(x[0]), layout)
    torch.testing.assert_close(layer(x, layout=layout)[0], expected, rtol=1e-10, atol=1e-10)


@every_kind
def test_gradients_of_input_and_parameters(kind: str):
    layer = build(AttentionConfig(kind=kind, registers=0 if kind == "multires_conv" else 1), dim=4, head_dim=2)
    layout = Layout(2, 1, 2)
    names = [name for name, _ in layer.named_parameters()]

    def run(x: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,), {"layout": layout})

    values = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    assert torch.autograd.gradcheck(run, (tokens(layout, 1, 4).requires_grad_(), *values), fast_mode=True)


@every_kind
@pytest.mark.parametrize("registers", [0, 2])
def test_multiply_adds_are_those_that_torch_counts(kind: str, registers: int):
    if kind == "multires_conv":
        layer, layout = build(AttentionConfig(kind=kind)), Layout(3, 2, 2)
        taps = 2 * (4 * 2 * 2 + 4 + 2)  # torch counts no filters by shifts: two ways, four levels of two filters of two
        assert layer.macs(layout) == layout.length * 24 * (taps + 24)
        return
    layout = Layout(2, 4, 6)
    layer = build(AttentionConfig(kind=kind, registers=registers, keep=0.25)).eval()
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(tokens(layout, batch=1), layout=layout)
    assert layer.macs(layout) == counter.get_total_flops() // 2


@every_kind
@pytest.mark.parametrize("linear", [LinearConfig(), LinearConfig("lowrank", self_guided=True)], ids=["dense", "guided"])
def test_state_is_kept_before_and_after_finalising(kind: str, linear: LinearConfig):
    config = AttentionConfig(kind=kind, linear=linear)
    layer, other, x = build(config), build(config, seed=2), tokens()
    for _ in range(2):
        other.load_state_dict(layer.state_dict(), strict=True)
        torch.testing.assert_close(other(x, layout=LAYOUT), layer(x, layout=LAYOUT))
        layer.finalise()
        other.finalise()


@every_kind
def test_strided_tokens_give_the_same(kind: str):
    layer, x = build(AttentionConfig(kind=kind)), tokens()
    strided = x.transpose(1, 2).contiguous().transpose(1, 2)
    assert not strided.is_contiguous()
    torch.testing.assert_close(layer(strided, layout=LAYOUT), layer(x, layout=LAYOUT))


@every_kind
@training_or_not
def test_scenes_of_a_batch_do_not_know_each_other(kind: str, training: bool):
    layer, x = build(AttentionConfig(kind=kind)).train(training), tokens(batch=3)
    torch.testing.assert_close(layer(x, layout=LAYOUT)[1:2], layer(x[1:2], layout=LAYOUT))


@every_kind
def test_views_may_come_in_any_order_unless_order_means_something(kind: str):
    layer, layout = build(AttentionConfig(kind=kind)), LAYOUT._replace(prefix=0)
    views = tokens(layout).unflatten(1, (3, -1))
    out = layer(views.flatten(1, 2), layout=layout).unflatten(1, (3, -1))
    turned = layer(views[:, [2, 0, 1]].flatten(1, 2), layout=layout).unflatten(1, (3, -1))
    same = torch.allclose(out[:, [2, 0, 1]], turned)
    assert same == (kind != "multires_conv")


@every_kind
def test_bfloat16_is_near(kind: str):
    layer, x = build(AttentionConfig(kind=kind), dim=64, head_dim=16).float(), tokens(dim=64).float()
    exact = layer(x, layout=LAYOUT)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = layer(x, layout=LAYOUT)
    assert (rounded.float() - exact).norm() < 0.03 * exact.norm()


@pytest.mark.parametrize(
    "linear", [LinearConfig("block_shuffle", blocks=3), LinearConfig("lowrank", rank=0.2)], ids=str
)
@every_kind
def test_projections_may_be_structured(kind: str, linear: LinearConfig):
    layer = build(AttentionConfig(kind=kind, linear=linear))
    assert layer(tokens(), layout=LAYOUT).isfinite().all()
    assert layer.macs(LAYOUT) < build(AttentionConfig(kind=kind)).macs(LAYOUT)


def test_ragged_views_see_themselves_only():
    layer, lengths = build(AttentionConfig(kind="per_view", registers=2)), (4, 0, 7)
    x = torch.randn(2, 11, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    out = layer(x, layout=Ragged(lengths))
    alone = [layer(part, layout=Layout(1, 1, part.shape[1])) for part in (x[:, :4], x[:, 4:])]
    torch.testing.assert_close(out, torch.cat(alone, dim=1))


def test_equal_views_are_the_same_ragged_or_not():
    layer, layout = build(AttentionConfig(kind="per_view")), LAYOUT._replace(prefix=0)
    x = tokens(layout)
    torch.testing.assert_close(layer(x, layout=Ragged((15, 15, 15))), layer(x, layout=layout))


def test_a_new_gate_changes_nothing():
    torch.manual_seed(0)
    pruned = make_attention(AttentionConfig(kind="pruned_keys"), 24, 6).double()
    plain = make_attention(AttentionConfig(kind="full"), 24, 6).double()
    plain.load_state_dict({k: v for k, v in pruned.state_dict().items() if k in plain.state_dict()})
    torch.testing.assert_close(pruned(tokens()), plain(tokens()))


def test_keeping_all_keys_is_what_was_trained():
    layer = build(AttentionConfig(kind="pruned_keys", keep=1.0, registers=1))
    torch.testing.assert_close(layer.eval()(tokens()), layer.train()(tokens()))


def test_the_gate_learns():
    layer = make_attention(AttentionConfig(kind="pruned_keys"), 24, 6).double()
    layer(tokens()).square().sum().backward()
    assert layer.gate_strength.grad is not None
    assert layer.gate_strength.grad.abs().min() > 0


def test_cells_of_one_token_are_full_attention():
    pooled = build(AttentionConfig(kind="pooled_keys", pool=1))
    plain = build(AttentionConfig(kind="full"))
    state = {k: v for k, v in pooled.state_dict().items() if k in plain.state_dict()}
    plain.load_state_dict(state | {"qkv.weight": torch.cat([pooled.q.weight, pooled.k.weight, pooled.v.weight])})
    torch.testing.assert_close(pooled(tokens(), layout=LAYOUT), plain(tokens()))


@pytest.mark.parametrize("registers", [0, 2])
def test_cross_attention_equals_loops_and_counts(registers: int):
    torch.manual_seed(0)
    layer = CrossAttention(24, 6, 2, AttentionConfig(registers=registers)).double()
    x, memory = tokens(Layout(1, 1, 5), batch=1), tokens(Layout(1, 1, 7), batch=1)
    normed = layer.norm(x[0])
    q = (normed @ layer.q.weight.T).view(5, 4, 6, 2).permute(0, 3, 1, 2).reshape(10, 4, 6)
    k = normed_heads(layer, memory[0] @ layer.k.weight.T, "k_norm")
    v = heads_of(memory[0] @ layer.v.weight.T, 6)
    found = answers(layer, layer.q_norm(q), k, v, lambda h, i: list(range(7)))
    joined = found.view(5, 2, 4, 6).permute(0, 2, 3, 1).reshape(5, 48)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        out = layer(x, memory)
    torch.testing.assert_close(out[0], joined @ layer.proj.weight.T, rtol=1e-10, atol=1e-10)
    assert layer.macs(Layout(1, 1, 7), 5) == counter.get_total_flops() // 2


def test_ragged_cross_attention_reads_each_views_memory_only():
    torch.manual_seed(0)
    layer = CrossAttention(24, 6, 2).double()
    x, memory = tokens(Layout(1, 1, 5), batch=1), tokens(Layout(1, 1, 7), batch=1)
    out = layer(x, memory, layout=Ragged((2, 3), (4, 3)))
    alone = [layer(x[:, :2], memory[:, :4]), layer(x[:, 2:], memory[:, 4:])]
    torch.testing.assert_close(out, torch.cat(alone, dim=1))


NEED_LAYOUT = ["per_view", "pooled_keys", "inception", "multires_conv"]


@pytest.mark.parametrize("kind", NEED_LAYOUT)
def test_what_needs_an_arrangement_says_so(kind: str):
    layer = build(AttentionConfig(kind=kind))
    with pytest.raises(InputError, match="no layout"):
        layer(tokens())
    with pytest.raises(InputError, match=r"2 \+ 4 x 3 x 5 tokens for a sequence of 47"):
        layer(tokens(), layout=LAYOUT._replace(views=4))
    if kind != "per_view":
        with pytest.raises(InputError, match="different sizes"):
            layer(tokens(), layout=Ragged((40, 7)))


@every_kind
def test_self_attention_takes_no_memory(kind: str):
    with pytest.raises(InputError, match="memory"):
        build(AttentionConfig(kind=kind))(tokens(), tokens(), layout=LAYOUT)


def test_cross_attention_wants_memory():
    with pytest.raises(InputError, match="no memory"):
        CrossAttention(24, 6)(torch.zeros(1, 2, 24))


def test_options_that_mean_nothing_are_refused():
    with pytest.raises(InputError, match="3 registers"):
        make_attention(AttentionConfig(kind="multires_conv", registers=3), 24, 6)
    with pytest.raises(InputError, match="1 head"):
        make_attention(AttentionConfig(kind="inception"), 24, 24)
