"""Attention with normalised queries and keys.

All attention of the project goes through `attention`, torch's scaled dot product, so that one place decides the
backend.
"""

from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from models.layers.precision import at_least_float32


def attention(
    q: Float[Tensor, "batch heads queries channels"],
    k: Float[Tensor, "batch heads keys channels"],
    v: Float[Tensor, "batch heads keys channels"],
) -> Float[Tensor, "batch heads queries channels"]:
    """softmax(q k^T / sqrt(channels)) v."""
    return scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v)


class SelfAttention(nn.Module):
    """Pre-normed self-attention without biases; queries and keys are RMS-normalised per head (iLRM section 3.2).

    Args:
        dim: Token width.
        head_dim: Width of one head.
    """

    def __init__(self, dim: int, head_dim: int):
        super().__init__()
        self.head_dim = head_dim
        self.norm = nn.LayerNorm(dim, bias=False)
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_norm = nn.RMSNorm(head_dim, eps=1e-5)
        self.k_norm = nn.RMSNorm(head_dim, eps=1e-5)
        self.proj = nn.Linear(dim, dim, bias=False)

    def forward(self, tokens: Float[Tensor, "batch length dim"]) -> Float[Tensor, "batch length dim"]:
        """The update to add to `tokens`."""
        q, k, v = rearrange(self.qkv(self.norm(tokens)), "b n (s h c) -> s b h n c", s=3, c=self.head_dim)
        mixed = attention(self.q_norm(at_least_float32(q)), self.k_norm(at_least_float32(k)), v)
        return self.proj(rearrange(mixed, "b h n c -> b n (h c)"))


class CrossAttention(nn.Module):
    """Pre-normed attention of tokens to a fixed memory; optionally several sub-queries per token.

    With `uplift` = u every token asks u questions: the query projection is u times as wide, its channels laid out
    (head, channel, sub-query), and the u answers are joined in the same layout before the output projection. This
    lets low-resolution tokens read high-resolution memory (token uplifting, iLRM section 3.3).

    Args:
        dim: Token width.
        head_dim: Width of one head.
        uplift: Sub-queries per token.
    """

    def __init__(self, dim: int, head_dim: int, uplift: int = 1):
        super().__init__()
        self.head_dim = head_dim
        self.uplift = uplift
        self.norm = nn.LayerNorm(dim, bias=False)
        self.q = nn.Linear(dim, uplift * dim, bias=False)
        self.k = nn.Linear(dim, dim, bias=False)
        self.v = nn.Linear(dim, dim, bias=False)
        self.q_norm = nn.RMSNorm(head_dim, eps=1e-5)
        self.k_norm = nn.RMSNorm(head_dim, eps=1e-5)
        self.proj = nn.Linear(uplift * dim, dim, bias=False)

    def forward(
        self, tokens: Float[Tensor, "batch length dim"], memory: Float[Tensor, "batch keys dim"]
    ) -> Float[Tensor, "batch length dim"]:
        """The update to add to `tokens`."""
        q = rearrange(self.q(self.norm(tokens)), "b n (h c u) -> b h (n u) c", c=self.head_dim, u=self.uplift)
        k = rearrange(self.k(memory), "b m (h c) -> b h m c", c=self.head_dim)
        v = rearrange(self.v(memory), "b m (h c) -> b h m c", c=self.head_dim)
        answers = attention(self.q_norm(at_least_float32(q)), self.k_norm(at_least_float32(k)), v)
        return self.proj(rearrange(answers, "b h (n u) c -> b n (h c u)", u=self.uplift))
