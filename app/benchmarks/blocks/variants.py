"""The blocks that are compared by what a small network learns with them."""

from models.layers.config import AttentionConfig, BlockConfig, FeedForwardConfig, LinearConfig

BASELINE = "dense"


def _feed_forward(**options) -> BlockConfig:
    return BlockConfig(feed_forward=FeedForwardConfig(**options))


def _maps(linear: LinearConfig) -> BlockConfig:
    """In the feed-forward layers only."""
    return _feed_forward(linear=linear)


def _attention(**options) -> BlockConfig:
    return BlockConfig(attention=AttentionConfig(**options))


SHUFFLE = LinearConfig("block_shuffle", blocks=4)
VARIANTS: dict[str, BlockConfig] = {
    BASELINE: BlockConfig(),
    "dense_narrow": _feed_forward(ratio=1.25),
    "swiglu": _feed_forward(kind="swiglu"),
    "lowrank": _maps(LinearConfig("lowrank", rank=0.5)),
    "lowrank_guided": _maps(LinearConfig("lowrank", rank=0.5, self_guided=True)),
    "block_shuffle": _maps(SHUFFLE),
    "block_shuffle_all": BlockConfig(
        attention=AttentionConfig(linear=SHUFFLE), feed_forward=FeedForwardConfig(linear=SHUFFLE)
    ),
    "block_dense": _maps(LinearConfig("block_dense", blocks=4, rank=0.4)),
    "btt": _maps(LinearConfig("btt", rank=2.0)),
    "blast": _maps(LinearConfig("blast", blocks=4, rank=0.25)),
    "nested": _feed_forward(kind="nested"),
    "fast": _feed_forward(kind="fast", depth=2),
    "grouped": _feed_forward(kind="grouped", experts=4),
    "fourier": _feed_forward(kind="fourier"),
    "per_view": _attention(kind="per_view"),
    "pooled_keys": _attention(kind="pooled_keys"),
    "pruned_keys": _attention(kind="pruned_keys"),
    "inception": _attention(kind="inception"),
    "registers": _attention(registers=16),
    "parallel": BlockConfig(parallel=True),
    "repeat": BlockConfig(repeat=2),
}
"""block_shuffle, block_dense, btt and blast have 0.28 to 0.32 of the multiply-adds of the dense feed-forward layer at a
width of 128, as has dense_narrow; lowrank has 0.62. per_view keeps views apart: it shows whether the study can see that
views help each other at all."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "Linear maps": ("lowrank", "lowrank_guided", "block_shuffle", "block_shuffle_all", "block_dense", "btt", "blast"),
    "Feed-forward layers": ("dense_narrow", "swiglu", "nested", "fast", "grouped", "fourier"),
    "Attention": ("per_view", "pooled_keys", "pruned_keys", "inception", "registers"),
    "Whole blocks": ("parallel", "repeat"),
}
"""Which variants are drawn together; the baseline is in every picture."""
