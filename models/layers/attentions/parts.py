"""Small pieces that the kinds of attention share."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from models.layers.config import AttentionConfig
from models.layers.contracts import Layout, Ragged
from recon.errors import InputError


def require_no_memory(memory: Tensor | None) -> None:
    """Refuse a memory where tokens see each other."""
    if memory is not None:
        raise InputError("self-attention was given a memory", hint="use CrossAttention")


def require_equal_ranks(config: AttentionConfig, kind: str) -> None:
    """Refuse another rank for values where there are maps that are neither of scores nor of values."""
    if config.value_rank != 1:
        raise InputError(
            f"attention.value_rank is {config.value_rank:g} in {kind}, whose maps are not of queries and values only",
            hint="set it to 1, or choose full, per_view, pruned_keys or pooled_keys",
        )


def require_shared_projections(config: AttentionConfig, kind: str) -> None:
    """Refuse projections for each group where not all that is projected are tokens of a group."""
    if config.experts != 1:
        raise InputError(
            f"projections for {config.experts} groups of tokens in {kind}, which projects more than these tokens",
            hint="set attention.experts to 1, or choose full, per_view or pruned_keys",
        )


def require_views(layout: Layout | Ragged | None, length: int) -> Layout:
    """The layout, of equal views, which must have as many tokens as the sequence."""
    if not isinstance(layout, Layout):
        found = "no layout" if layout is None else "views of different sizes"
        raise InputError(
            f"this kind of attention was given {found}, expected views of rows of columns",
            hint="pass layout=Layout(...)",
        )
    if layout.length != length:
        raise InputError(
            f"a layout of {layout.prefix} + {layout.views} x {layout.height} x {layout.width} tokens for a sequence of "
            f"{length}",
            hint="the layout describes the tokens that are attended to",
        )
    return layout


def as_maps(tokens: Float[Tensor, "batch patches dim"], layout: Layout) -> Float[Tensor, "maps dim height width"]:
    """Tokens without their prefix as one map for each view."""
    return rearrange(tokens, "b (v h w) d -> (b v) d h w", v=layout.views, h=layout.height, w=layout.width)


def as_tokens(maps: Float[Tensor, "maps dim height width"], layout: Layout) -> Float[Tensor, "batch patches dim"]:
    """The inverse of `as_maps`, for maps of any size."""
    return rearrange(maps, "(b v) d h w -> b (v h w) d", v=layout.views)


def pooled(
    tokens: Float[Tensor, "batch length dim"], layout: Layout, side: int
) -> tuple[Float[Tensor, "batch pooled dim"], Layout]:
    """Tokens averaged over cells of side x side in every view, and their layout; the prefix stays as it is.

    Cells at the right and lower border hold what is left, and are averages of that.
    """
    prefix, patches = tokens.split([layout.prefix, tokens.shape[1] - layout.prefix], dim=1)
    cells = avg_pool2d(as_maps(patches, layout), side, ceil_mode=True, count_include_pad=False)
    return torch.cat([prefix, as_tokens(cells, layout)], dim=1), pooled_layout(layout, side)


def pooled_layout(layout: Layout, side: int) -> Layout:
    """The layout after averaging over cells of side x side."""
    return layout._replace(height=-(-layout.height // side), width=-(-layout.width // side))
