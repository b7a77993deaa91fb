"""Tokens see those of their own view: linear in the number of views."""

import torch
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor

from models.layers.attentions.full import SelfAttention
from models.layers.attentions.parts import require_views
from models.layers.contracts import Layout, Ragged


class PerViewAttention(SelfAttention):
    """Self-attention inside every view, by reshaping; prefix tokens see all and are seen by all.

    Views of different sizes are laid end to end and described by a `Ragged`.
    """

    def answers(
        self,
        q: Float[Tensor, "batch heads length channels"],
        k: Float[Tensor, "batch heads length channels"],
        v: Float[Tensor, "batch heads length channels"],
        layout: Layout | Ragged | None,
    ) -> Float[Tensor, "batch heads length channels"]:
        """What every head of every token gets from its own view."""
        if isinstance(layout, Ragged):
            return self.mix(q, k, v, ragged=layout)
        layout = require_views(layout, q.shape[2])
        sides = [layout.prefix, layout.length - layout.prefix]
        (q_all, q_own), (k_all, k_own), (v_all, v_own) = (x.split(sides, dim=2) for x in (q, k, v))
        q_view = rearrange(q_own, "b h (v n) c -> (b v) h n c", v=layout.views)
        k_view, v_view = _with_prefix(k_all, k_own, layout), _with_prefix(v_all, v_own, layout)
        own = rearrange(self.mix(q_view, k_view, v_view), "(b v) h n c -> b h (v n) c", v=layout.views)
        return torch.cat([self.mix(q_all, k, v), own], dim=2) if layout.prefix else own

    def macs(self, layout: Layout, num_queries: int | None = None) -> int:
        """Projections of every token, scores and mixing inside every view."""
        patches = layout.length - layout.prefix
        in_views = self.score_macs(patches, layout.prefix + patches // max(layout.views, 1))
        to_all = self.score_macs(layout.prefix, layout.length)
        return self.projection_macs(layout.length) + in_views + to_all


def _with_prefix(
    prefix: Float[Tensor, "batch heads prefix channels"],
    own: Float[Tensor, "batch heads patches channels"],
    layout: Layout,
) -> Float[Tensor, "views heads keys channels"]:
    """Keys or values of every view of every scene, those of the prefix in front."""
    per_view = rearrange(own, "b h (v n) c -> (b v) h n c", v=layout.views)
    if not layout.prefix:
        return per_view
    return torch.cat([repeat(prefix, "b h p c -> (b v) h p c", v=layout.views), per_view], dim=2)
