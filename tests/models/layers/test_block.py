from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import gelu

from models.ilrm.groups import group_ids
from models.ilrm.processor import Processor, init_normal
from models.layers.attentions import ATTENTIONS
from models.layers.block import Block
from models.layers.config import AttentionConfig, BlockConfig, FeedForwardConfig, LinearConfig
from models.layers.contracts import Layout
from models.layers.feedforwards import FEED_FORWARDS
from models.layers.linears import LINEARS
from models.layers.weight_condition import UnitRows
from recon.errors import InputError

GRID = (2, 4)
GUIDED = LinearConfig("lowrank", self_guided=True)
VARIANTS = [BlockConfig(attention=AttentionConfig(kind=kind)) for kind in ATTENTIONS]
VARIANTS += [BlockConfig(feed_forward=FeedForwardConfig(kind=kind)) for kind in FEED_FORWARDS]
VARIANTS += [
    BlockConfig(AttentionConfig(linear=LinearConfig(kind)), FeedForwardConfig(linear=LinearConfig(kind)))
    for kind in LINEARS
]
VARIANTS += [
    BlockConfig(AttentionConfig(linear=GUIDED, registers=2, qk_norm=False), FeedForwardConfig(linear=GUIDED)),
    BlockConfig(parallel=True),
    BlockConfig(weight_condition=True),
    BlockConfig(repeat=3, stop=1e-3),
    BlockConfig(AttentionConfig(experts=9), FeedForwardConfig("grouped", experts=3, second_key="view")),
    BlockConfig(AttentionConfig(linear=LinearConfig("lowrank", rank=0.25), value_rank=3.0)),
    BlockConfig(AttentionConfig("pruned_keys"), FeedForwardConfig("nested"), True, True, 2),
]


def described(config: BlockConfig) -> str:
    linear = config.feed_forward.linear
    flags = [name for name in ("parallel", "weight_condition") if getattr(config, name)]
    parts = [config.attention.kind, config.feed_forward.kind, linear.kind, *flags, str(config.repeat)]
    options = [f"{config.attention.experts} groups", f"{config.attention.value_rank:g} ranks"]
    return "-".join(parts + ["guided"] * linear.self_guided + options)


every_variant = pytest.mark.parametrize("config", VARIANTS, ids=described)


def build(config: BlockConfig, num_layers: int = 2, seed: int = 0) -> Processor:
    torch.manual_seed(seed)
    processor = Processor(32, 16, num_layers, block=config)
    init_normal(processor, std=0.2)
    return processor


def inputs(batch: int = 2, views: int = 3, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(batch, views, length, 32, generator=generator) for length in (8, 5))  # type: ignore[return-value]


def groups(config: BlockConfig, batch: int = 2, views: int = 3) -> Tensor | None:
    cameras = torch.eye(4).expand(batch, views, 4, 4)
    K = torch.tensor([[20.0, 0, 16], [0, 20, 8], [0, 0, 1]]).expand(batch, views, 3, 3)
    return group_ids(config, GRID, cameras, K, 8)


def run(processor: Processor, tokens: Tensor, memory: Tensor) -> Tensor:
    chosen = groups(processor.config, *tokens.shape[:2])
    return processor(tokens, memory, grid=GRID, group_ids=chosen)


def test_the_default_is_the_published_layer_written_out():
    """Names of parameters, and pre-norm attention and GELU layers, to the last bit."""
    processor, (tokens, memory) = build(BlockConfig(), 1).eval(), inputs(batch=1)
    read, share = processor.blocks
    names = [f"read_cross.{n}.weight" for n in ("k", "k_norm", "norm", "proj", "q", "q_norm", "v")]
    names += [f"read_ff.{n}.weight" for n in ("fc1", "fc2", "norm")]
    assert sorted(read.state_dict()) == names
    names = [f"attn.{n}.weight" for n in ("k_norm", "norm", "proj", "q_norm", "qkv")]
    assert sorted(share.state_dict()) == names + [f"mlp.{n}.weight" for n in ("fc1", "fc2", "norm")]

    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (2, 16)).transpose(1, 2)

    def attend(layer: torch.nn.Module, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q, k = layer.q_norm(heads(q)), layer.k_norm(heads(k))
        mixed = torch.nn.functional.scaled_dot_product_attention(q, k, heads(v))
        return layer.proj(mixed.transpose(1, 2).flatten(2))

    x, m = tokens[0], memory[0]
    cross, ff = read.read_cross, read.read_ff
    x = x + attend(cross, cross.q(cross.norm(x)), cross.k(m), cross.v(m))
    x = x + ff.fc2(gelu(ff.fc1(ff.norm(x))))
    x = x.flatten(0, 1)[None]
    x = x + attend(share.attn, *share.attn.qkv(share.attn.norm(x)).chunk(3, dim=-1))
    x = x + share.mlp.fc2(gelu(share.mlp.fc1(share.mlp.norm(x))))
    torch.testing.assert_close(processor(tokens, memory), x.view(1, 3, 8, 32), rtol=0, atol=0)


@every_variant
def test_every_variant_trains_settles_and_keeps_its_state(config: BlockConfig):
    processor, other, (tokens, memory) = build(config), build(config, seed=3), inputs()
    processor.schedule(0.3)
    terms = processor.aux_losses()
    loss = run(processor, tokens, memory).square().mean() + sum(processor.aux_losses().values(), torch.zeros(()))
    loss.backward()
    assert not terms
    assert loss.isfinite()
    missing = [name for name, p in processor.named_parameters() if p.grad is None]
    conditional = config.feed_forward.kind in ("fast", "routed", "peer", "cdmoe", "masked_glu")
    assert conditional or not missing
    for _ in range(2):
        other.load_state_dict(processor.state_dict(), strict=True)
        first, second = run(processor.eval(), tokens, memory), run(other.eval(), tokens, memory)
        torch.testing.assert_close(first, second)
        processor.finalise()
        other.finalise()


@every_variant
def test_every_variant_is_built_on_the_meta_device(config: BlockConfig):
    with torch.device("meta"):
        expected = {name: value.shape for name, value in Processor(32, 16, 2, block=config).state_dict().items()}
    assert expected == {name: value.shape for name, value in build(config).state_dict().items()}


@every_variant
def test_scenes_of_a_batch_do_not_know_each_other(config: BlockConfig):
    processor, (tokens, memory) = build(config).eval(), inputs(batch=3)
    together = run(processor, tokens, memory)
    torch.testing.assert_close(together[1:2], run(processor, tokens[1:2], memory[1:2]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("config", [BlockConfig(), BlockConfig(parallel=True), BlockConfig(repeat=2)], ids=described)
def test_checkpointing_changes_no_gradient(config: BlockConfig):
    gradients = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        processor = Processor(32, 16, 2, block=config, checkpointing=checkpointing)
        tokens, memory = inputs()
        run(processor, tokens.requires_grad_(), memory).square().sum().backward()
        gradients.append([p.grad for p in processor.parameters()])
    torch.testing.assert_close(*gradients)


def test_parallel_is_the_sum_of_both_branches_from_one_norm():
    torch.manual_seed(0)
    block = Block(BlockConfig(parallel=True), 32, 16)
    x = inputs()[0][0]
    normed = block.attn.norm(x)
    torch.testing.assert_close(block(x), x + block.attn.update(normed) + block.mlp.update(normed))
    assert not list(block.mlp.norm.parameters())


def test_scaling_rows_brings_the_condition_number_down(generator: torch.Generator):
    scales = torch.logspace(-3, 3, 48, dtype=torch.float64)[:, None]
    matrix = scales * torch.randn(48, 96, dtype=torch.float64, generator=generator)
    before, after = torch.linalg.cond(matrix), torch.linalg.cond(UnitRows()(matrix))
    assert before > 1e5
    assert after < 10


def test_conditioned_weights_act_with_unit_rows_and_settle_under_plain_names():
    processor, plain, (tokens, memory) = build(BlockConfig(weight_condition=True)), build(BlockConfig()), inputs()
    before = run(processor, tokens, memory)
    processor.finalise()
    assert processor.state_dict().keys() == plain.state_dict().keys()
    assert processor.blocks[0].read_ff.fc1.weight.norm(dim=1).sub(1).abs().max() < 1e-5
    torch.testing.assert_close(run(processor, tokens, memory), before)


def test_repeating_is_more_layers_with_the_same_weights():
    processor, (tokens, memory) = build(BlockConfig(repeat=3), 2), inputs()
    deep = build(BlockConfig(), 4)
    shared = processor.state_dict()
    copies = {f"blocks.{2 * layer + i}.": f"blocks.{2 * min(layer, 1) + i}." for layer in range(4) for i in range(2)}
    state = {
        new + k.removeprefix(old): v for new, old in copies.items() for k, v in shared.items() if k.startswith(old)
    }
    deep.load_state_dict(state)
    torch.testing.assert_close(run(processor, tokens, memory), run(deep, tokens, memory))


def test_a_place_is_asked_for_by_blocks_that_know_places():
    tokens, memory = inputs()
    with pytest.raises(InputError, match="no layout"):
        build(BlockConfig(AttentionConfig("pooled_keys")))(tokens, memory)
    with pytest.raises(InputError, match="no group ids"):
        build(BlockConfig(feed_forward=FeedForwardConfig("grouped")))(tokens, memory)


@pytest.mark.parametrize("key", ["view", "checkerboard", "ray", "kind"])
def test_groups_follow_views_through_both_kinds_of_block(key: str):
    """A token keeps its expert when views are turned, unless the view is the key."""
    chosen = FeedForwardConfig("grouped", key=key, experts=3)  # type: ignore[arg-type]
    config = BlockConfig(feed_forward=chosen)
    ids = groups(config)
    assert ids is not None
    assert ids.shape == (2, 3, 8)
    if key == "view":
        assert ids[0].tolist() == [[view] * 8 for view in range(3)]
    else:
        assert torch.equal(ids[:, 0], ids[:, 2])
    processor, (tokens, memory) = build(config), inputs()
    order = [2, 0, 1]
    turned = processor(tokens[:, order], memory[:, order], grid=GRID, group_ids=ids[:, order])
    torch.testing.assert_close(turned, processor(tokens, memory, grid=GRID, group_ids=ids)[:, order])


def test_two_keys_name_a_pair_of_experts_and_projections_have_as_many_groups():
    chosen = FeedForwardConfig("grouped", experts=3, key="view", second_key="checkerboard")
    config = BlockConfig(AttentionConfig(experts=9), chosen)
    ids = groups(config)
    assert ids is not None
    for place, key in enumerate(("view", "checkerboard")):
        alone = groups(BlockConfig(feed_forward=replace(chosen, key=key, second_key="none")))  # type: ignore[arg-type]
        assert torch.equal(ids // 3 ** (1 - place) % 3, alone)
    processor, (tokens, memory) = build(config), inputs()
    out = processor(tokens, memory, grid=GRID, group_ids=ids)
    other = processor(tokens, memory, grid=GRID, group_ids=(ids + 3) % 9)
    assert not torch.allclose(out, other)


def test_projections_alone_may_have_groups():
    config = BlockConfig(AttentionConfig(experts=4))
    assert groups(config) is not None
    assert groups(BlockConfig()) is None


def test_groups_by_points_need_points():
    config = BlockConfig(feed_forward=FeedForwardConfig("grouped", key="morton"))
    with pytest.raises(InputError, match="morton"):
        groups(config)
    points = torch.rand(1, 24, 3, generator=torch.Generator().manual_seed(0))
    ids = group_ids(config, GRID, torch.eye(4).expand(1, 3, 4, 4), torch.eye(3).expand(1, 3, 3, 3), 8, points)
    assert ids is not None
    assert ids.shape == (1, 3, 8)
    assert groups(replace(config, feed_forward=FeedForwardConfig())) is None


def test_reading_is_always_dense_attention():
    processor = build(BlockConfig(AttentionConfig("pooled_keys", registers=2)))
    assert processor.blocks[0].read_cross.registers is None
    assert processor.blocks[1].attn.registers is not None


def test_a_block_takes_layouts_with_a_prefix():
    layout = Layout(2, 2, 2, prefix=1)
    for kind in ATTENTIONS:
        block = Block(BlockConfig(AttentionConfig(kind)), 32, 16)
        assert block(torch.zeros(1, layout.length, 32), layout=layout).shape == (1, 9, 32)
