"""All tokens are seen while the layer is trained, only those that count while it is used."""

import math

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import softplus

from models.layers.attentions.full import SelfAttention
from models.layers.attentions.multihead import PLAIN
from models.layers.config import AttentionConfig
from models.layers.contracts import Layout, Ragged
from models.layers.precision import at_least_float32


class PrunedKeysAttention(SelfAttention):
    """Self-attention with a gate on every key, by which most keys can be left out (after Shi et al. 2024, DMAttn).

    The value v_j of token j says by how much head h raises all scores of that key:
    delta_hj = exp(a_h softplus(w_h . v_j + b_h)). a begins at 0, where every gate is 1 and the layer is `full`. As a
    gate depends on the key alone, the best keys of a head are the same for all queries: in evaluation they are gathered
    once and attended to by plain attention, gates still added.

    Args:
        dim: Token width.
        head_dim: Width of one head.
        config: `keep` is the share of the keys that stay in evaluation; registers always stay, with a gate of 1.
    """

    def __init__(self, dim: int, head_dim: int, config: AttentionConfig = PLAIN):
        super().__init__(dim, head_dim, config)
        self.keep = config.keep
        self.key_gate = nn.Linear(dim, self.num_heads)
        self.gate_strength = nn.Parameter(torch.zeros(self.num_heads))

    def answers(
        self,
        q: Float[Tensor, "batch heads length channels"],
        k: Float[Tensor, "batch heads length channels"],
        v: Float[Tensor, "batch heads length channels"],
        layout: Layout | Ragged | None,
    ) -> Float[Tensor, "batch heads length channels"]:
        """What every head of every token gets, from the keys that stay."""
        gates = self.gates(v)
        kept = self.num_kept(k.shape[2])
        if not self.training and kept < k.shape[2]:
            chosen = gates.topk(kept, dim=-1, sorted=False).indices
            k, v, gates = _gather(k, chosen), _gather(v, chosen), gates.gather(2, chosen)
        return self.mix(q, k, v, key_bias=gates, register_bias=1.0)

    def gates(self, v: Float[Tensor, "batch heads keys channels"]) -> Float[Tensor, "batch heads keys"]:
        """What is added to the scores of each key."""
        logits = rearrange(self.key_gate(rearrange(v, "b h n c -> b n (h c)")), "b n h -> b h n")
        return torch.exp(self.gate_strength[:, None] * softplus(at_least_float32(logits)))

    def num_kept(self, num_keys: int) -> int:
        """Keys of each head that are attended to in evaluation."""
        return min(num_keys, math.ceil(self.keep * num_keys))

    def macs(self, layout: Layout, num_queries: int | None = None) -> int:
        """Projections and gates of every token, scores and mixing with the keys that stay, their gates one channel."""
        per_token = self.key_gate.weight.numel()
        pairs = layout.length * (self.num_kept(layout.length) + self.num_registers)
        return self.projection_macs(layout.length) + layout.length * per_token + 2 * pairs * (self.dim + self.num_heads)


def _gather(
    x: Float[Tensor, "batch heads keys channels"], chosen: Int[Tensor, "batch heads kept"]
) -> Float[Tensor, "batch heads kept channels"]:
    return x.gather(2, chosen[..., None].expand(-1, -1, -1, x.shape[-1]))
