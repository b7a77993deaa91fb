"""What kinds of attention with queries, keys and values have in common."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from models.layers.attentions.grouped_projection import GroupedProjection
from models.layers.attentions.projections import make_projection
from models.layers.attentions.sdpa import attention
from models.layers.config import AttentionConfig
from models.layers.contracts import Attention, Ragged
from models.layers.linears import finalise_guides
from models.layers.precision import at_least_float32

PLAIN = AttentionConfig()


class Registers(nn.Module):
    """Keys and values that are learned and the same for every input (Sukhbaatar et al. 2019, section 4.1).

    They are stored small and used large: keys N(0, 1/channels) times sqrt(channels), values N(0, 1/count) times
    sqrt(count), so that both begin with unit variance and learn faster than the matrices.

    Args:
        count: Pairs of each head.
        num_heads: Heads.
        head_dim: Channels of one head.
    """

    def __init__(self, count: int, num_heads: int, head_dim: int):
        super().__init__()
        self.keys = nn.Parameter(torch.randn(num_heads, count, head_dim) / math.sqrt(head_dim))
        self.values = nn.Parameter(torch.randn(num_heads, count, head_dim) / math.sqrt(count))

    def forward(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values with the learned ones in front."""
        count, head_dim = self.keys.shape[1:]
        keys = (math.sqrt(head_dim) * self.keys).to(k.dtype).expand(len(k), -1, -1, -1)
        values = (math.sqrt(count) * self.values).to(v.dtype).expand(len(v), -1, -1, -1)
        return torch.cat([keys, k], dim=2), torch.cat([values, v], dim=2)


class MultiHead(Attention):
    """Norm, projections, norms of queries and keys, registers, output projection; subclasses say who sees whom.

    Args:
        dim: Token width.
        head_dim: Width of one head.
        config: Registers, norms of queries and keys, kind of the projections.
        projections: Name -> width of every projection of the tokens.
        joined: Width of the answers of all heads; the token width unless said.
    """

    def __init__(
        self,
        dim: int,
        head_dim: int,
        config: AttentionConfig,
        projections: dict[str, int],
        joined: int | None = None,
    ):
        super().__init__(dim)
        self.dim, self.head_dim, self.num_heads = dim, head_dim, dim // head_dim
        for name, width in projections.items():
            self.add_module(name, make_projection(config, name, dim, width))
        self.q_norm = nn.RMSNorm(head_dim, eps=1e-5) if config.qk_norm else nn.Identity()
        self.k_norm = nn.RMSNorm(head_dim, eps=1e-5) if config.qk_norm else nn.Identity()
        self.proj = make_projection(config, "proj", dim if joined is None else joined, dim)
        self.registers = Registers(config.registers, self.num_heads, head_dim) if config.registers else None

    def mapped(
        self, name: str, tokens: Float[Tensor, "batch length dim"], group_ids: Int[Tensor, "*batch length"] | None
    ) -> Float[Tensor, "batch length width"]:
        """Tokens through the projection of that name, or through that of their group."""
        projection = getattr(self, name)
        return projection(tokens, group_ids) if isinstance(projection, GroupedProjection) else projection(tokens)

    def normalised(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """Queries and keys with unit mean square in every head, if they are to have it."""
        return self.q_norm(at_least_float32(q)), self.k_norm(at_least_float32(k))

    def mix(
        self,
        q: Float[Tensor, "batch heads queries channels"],
        k: Float[Tensor, "batch heads keys channels"],
        v: Float[Tensor, "batch heads keys channels"],
        *,
        key_bias: Float[Tensor, "batch heads keys"] | None = None,
        register_bias: float = 0.0,
        ragged: Ragged | None = None,
    ) -> Float[Tensor, "batch heads queries channels"]:
        """Values of the keys and of the registers, weighed by normalised queries and keys.

        Args:
            q: Normalised queries.
            k: Normalised keys.
            v: Values.
            key_bias: As that of `attention`, without the registers.
            register_bias: The same for every register.
            ragged: As that of `attention`, without the registers.
        """
        if self.registers is None:
            return attention(q, k, v, key_bias=key_bias, ragged=ragged)
        if ragged is not None:
            return _mix_ragged(self.registers, q, k, v, ragged)
        k, v = self.registers(k, v)
        if key_bias is not None:
            count = k.shape[2] - key_bias.shape[2]
            key_bias = torch.cat([key_bias.new_full((*key_bias.shape[:2], count), register_bias), key_bias], dim=2)
        return attention(q, k, v, key_bias=key_bias)

    @property
    def num_registers(self) -> int:
        """Learned pairs of each head."""
        return 0 if self.registers is None else self.registers.keys.shape[1]

    def score_macs(self, num_queries: int, num_keys: int) -> int:
        """Multiply-adds of scores and mixing, registers included, for queries as wide as the tokens."""
        return 2 * num_queries * (num_keys + self.num_registers) * self.dim

    def finalise(self) -> None:
        """Bring the projections into the form that is used."""
        finalise_guides(self)


def _mix_ragged(registers: Registers, q: Tensor, k: Tensor, v: Tensor, ragged: Ragged) -> Tensor:
    """Each sequence has the registers in front of its own keys."""
    lengths = list(ragged.of_keys)
    parts = [registers(*pair) for pair in zip(k.split(lengths, 2), v.split(lengths, 2), strict=True)]
    keys, values = (torch.cat(side, dim=2) for side in zip(*parts, strict=True))
    return attention(q, keys, values, ragged=Ragged(ragged.lengths, tuple(part[0].shape[2] for part in parts)))
