"""Which parts a transformer block is made of."""

from dataclasses import dataclass, field
from typing import Literal

LinearKind = Literal["dense", "lowrank", "block_shuffle", "block_dense", "btt", "blast"]
FeedForwardKind = Literal[
    "gelu", "swiglu", "nested", "fast", "grouped", "routed", "fourier", "masked_glu", "peer", "cdmoe"
]
Key = Literal["view", "checkerboard", "ray", "morton", "kind"]
"""What tokens are told apart by."""
AttentionKind = Literal["full", "per_view", "pruned_keys", "pooled_keys", "inception", "multires_conv"]


@dataclass(frozen=True)
class LinearConfig:
    """Kind of the linear maps.

    Attributes:
        kind: Name in `models.layers.linears.LINEARS`.
        blocks: Blocks of block_shuffle, block_dense and blast.
        rank: Rank as a share of the smaller side (lowrank, block_dense, blast); for btt the rank itself, at least 1.
        self_guided: Train beside a dense matrix that fades out over the first half (Wei et al. 2024).
        normalise: Keep the cores of btt at most at their initial size, with a learned gain each (Qiu et al. 2024).
    """

    kind: LinearKind = "dense"
    blocks: int = 4
    rank: float = 0.5
    self_guided: bool = False
    normalise: bool = False


@dataclass(frozen=True)
class FeedForwardConfig:
    """Kind of the feed-forward layers.

    Attributes:
        kind: Name in `models.layers.feedforwards.FEED_FORWARDS`.
        ratio: Hidden width over token width of a GELU layer; the others are sized to match its parameters or say how.
        depth: Of the tree of `fast`, which has 2^depth leaves.
        experts: Of `grouped` and `routed`; peer and cdmoe take its square.
        key: What `grouped` tells tokens apart by.
        second_key: What it chooses the expert of the second half of the hidden units by (MultiHash, Roller et al.
            2021); "none" to take both halves of one expert.
        linear: The linear maps inside.
    """

    kind: FeedForwardKind = "gelu"
    ratio: float = 4.0
    depth: int = 2
    experts: int = 4
    key: Key = "checkerboard"
    second_key: Literal["none", "view", "checkerboard", "ray", "morton", "kind"] = "none"
    linear: LinearConfig = field(default_factory=LinearConfig)

    @property
    def hashes(self) -> int:
        """Keys by which tokens are told apart."""
        return 1 if self.second_key == "none" else 2

    @property
    def groups(self) -> int:
        """Groups of tokens."""
        return self.experts**self.hashes


@dataclass(frozen=True)
class AttentionConfig:
    """Kind of the self-attention between the tokens of all views.

    Attributes:
        kind: Name in `models.layers.attentions.ATTENTIONS`.
        keep: Share of the keys that `pruned_keys` keeps.
        pool: Side of the cells that `pooled_keys` and `inception` average.
        registers: Learned key/value pairs beside those of the tokens (Sukhbaatar et al. 2019).
        qk_norm: RMS-normalise queries and keys per head.
        experts: Groups of tokens with projections of their own (mixture-of-transformers, Liang et al. 2024), told apart
            by `feed_forward.key` and as many as there are; 1 for projections that all tokens share.
        value_rank: Rank of the projections of values and answers over that of queries and keys, which is
            `linear.rank`; 3 is the split of LoRAP (Li et al. 2024). Only for kinds of maps with a rank.
        linear: The projections.
    """

    kind: AttentionKind = "full"
    keep: float = 0.5
    pool: int = 2
    registers: int = 0
    qk_norm: bool = True
    experts: int = 1
    value_rank: float = 1.0
    linear: LinearConfig = field(default_factory=LinearConfig)


@dataclass(frozen=True)
class BlockConfig:
    """A transformer block; the defaults are the published iLRM's.

    Attributes:
        attention: Of the blocks in which all views share; reading one's own image is always dense attention.
        feed_forward: Of all blocks.
        parallel: Attention and feed-forward from one norm, side by side (Sonkar and Baraniuk 2023).
        weight_condition: Rows of the weights are scaled to unit length in the forward pass (Saratchandran et al. 2024).
        repeat: Times that the last update layer runs with the same weights; above 1 it stops when the tokens change by
            less than `stop`.
        stop: Relative change of the tokens at which repeating ends; 0 never ends early.
    """

    attention: AttentionConfig = field(default_factory=AttentionConfig)
    feed_forward: FeedForwardConfig = field(default_factory=FeedForwardConfig)
    parallel: bool = False
    weight_condition: bool = False
    repeat: int = 1
    stop: float = 0.0
