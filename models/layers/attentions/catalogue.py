"""Kinds of self-attention by name."""

from collections.abc import Callable

from models.layers.attentions.full import SelfAttention
from models.layers.attentions.inception import InceptionAttention
from models.layers.attentions.multires_conv import MultiresConvolution
from models.layers.attentions.per_view import PerViewAttention
from models.layers.attentions.pooled_keys import PooledKeysAttention
from models.layers.attentions.pruned_keys import PrunedKeysAttention
from models.layers.config import AttentionConfig, AttentionKind
from models.layers.contracts import Attention

ATTENTIONS: dict[AttentionKind, Callable[[int, int, AttentionConfig], Attention]] = {
    "full": SelfAttention,
    "per_view": PerViewAttention,
    "pruned_keys": PrunedKeysAttention,
    "pooled_keys": PooledKeysAttention,
    "inception": InceptionAttention,
    "multires_conv": MultiresConvolution,
}
"""Name in `AttentionConfig.kind` -> builder from token width, head width and config."""


def make_attention(config: AttentionConfig, dim: int, head_dim: int) -> Attention:
    """A self-attention layer.

    Args:
        config: Its kind and options.
        dim: Token width, a multiple of `head_dim`.
        head_dim: Width of one head.
    """
    return ATTENTIONS[config.kind](dim, head_dim, config)
