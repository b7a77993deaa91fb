"""What settings a block can be built with."""

from models.layers.config import AttentionConfig, BlockConfig, FeedForwardConfig, LinearConfig
from models.layers.feedforwards.catalogue import KINDS_OF_LINEAR_MAPS

MAX_HIDDEN = 65536
"""Of the hidden width of a feed-forward layer."""
RANGES: dict[type, dict[str, tuple[float, float]]] = {
    LinearConfig: {"blocks": (1, 256)},
    FeedForwardConfig: {"depth": (1, 10), "experts": (1, 1024)},
    AttentionConfig: {"pool": (1, 64), "registers": (0, 4096), "experts": (1, 1024), "value_rank": (0.01, 100)},
    BlockConfig: {"repeat": (1, 64), "stop": (0, 1)},
}
"""Least and largest value of every number that has nothing to do with other settings."""


def fault_in_block(config: BlockConfig, dim: int, head_dim: int) -> str | None:
    """Why no block can be built with these settings, in words, or None.

    Whether widths divide as structured matrices need it shows when the network is built.

    Args:
        config: Fields of the annotated types; NaN, infinite and huge numbers are looked for.
        dim: Token width.
        head_dim: Width of one head, a divisor of `dim`.
    """
    attention, feed_forward = config.attention, config.feed_forward
    parts = {
        "block": config,
        "block.attention": attention,
        "block.attention.linear": attention.linear,
        "block.feed_forward": feed_forward,
        "block.feed_forward.linear": feed_forward.linear,
    }
    for path, part in parts.items():
        for name, (low, high) in RANGES[type(part)].items():
            if not low <= (found := getattr(part, name)) <= high:
                return f"{path}.{name} is {short(found)}, expected {low:g} to {high:g}"
        if isinstance(part, LinearConfig) and (fault := _fault_in_rank(part, dim)):
            return f"{path}.{fault}"
    if not 0 < attention.keep <= 1:
        return f"block.attention.keep is {short(attention.keep)}, expected more than 0 and at most 1"
    if not 1 <= feed_forward.ratio * dim <= MAX_HIDDEN:
        ratio = short(feed_forward.ratio)
        return f"block.feed_forward.ratio is {ratio}, expected a hidden width of 1 to {MAX_HIDDEN} for {dim} channels"
    if attention.kind == "inception" and dim < 2 * head_dim:
        return f"block.attention.kind is inception, which needs two heads or more; dim is {dim}, head_dim {head_dim}"
    if attention.kind == "multires_conv" and attention.registers:
        return f"block.attention.registers is {attention.registers}, expected 0: multires_conv has no keys"
    if attention.experts not in (1, feed_forward.groups):
        groups = f"{feed_forward.groups}, the groups of feed_forward"
        return f"block.attention.experts is {attention.experts}, expected 1 or {groups}"
    return None


def fault_in_randomised(share: float, block: BlockConfig) -> str | None:
    """Why feed-forward layers cannot be trained on a share of the rows of their inputs, in words, or None."""
    if not 0 < share < 1:
        return f"is {short(share)}, expected above 0 and below 1; 0.2 keeps a fifth of the inputs"
    chosen = block.feed_forward
    if chosen.kind not in KINDS_OF_LINEAR_MAPS or chosen.linear.kind != "dense" or block.weight_condition:
        kinds = ", ".join(KINDS_OF_LINEAR_MAPS)
        return f"is for plain matrices of feed_forward.kind {kinds} without weight_condition; leave it out"
    return None


def _fault_in_rank(config: LinearConfig, dim: int) -> str | None:
    if config.kind == "btt":
        return None if 1 <= config.rank <= dim else f"rank is {short(config.rank)}, expected 1 to {dim} for btt"
    return None if 0 < config.rank <= 1 else f"rank is {short(config.rank)}, expected more than 0 and at most 1"


def short(number: int | float) -> str:
    """The number, unless it is an integer whose digits fill a screen."""
    return "huge" if abs(number) > 10**20 else f"{number}"
