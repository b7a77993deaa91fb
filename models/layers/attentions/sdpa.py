"""The one function that all attention of the project goes through, so that one place decides the backend.

Masks are described, never stored: views of equal size are a matter of reshaping, views of different sizes are a
`Ragged`, and what only says how much each key counts is one number a key.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention

from models.layers import xformers_backend
from models.layers.contracts import Ragged
from recon.errors import InputError


def attention(
    q: Float[Tensor, "batch heads queries channels"],
    k: Float[Tensor, "batch heads keys channels"],
    v: Float[Tensor, "batch heads keys channels"],
    *,
    key_bias: Float[Tensor, "batch heads keys"] | None = None,
    ragged: Ragged | None = None,
) -> Float[Tensor, "batch heads queries channels"]:
    """softmax(q k^T / sqrt(channels) + key_bias) v.

    Args:
        q: Queries.
        k: Keys.
        v: Values, in whose precision everything is computed.
        key_bias: Added to the scores of a key with all queries; differentiable.
        ragged: Sequences that are laid end to end and do not see each other; not together with `key_bias`.

    Raises:
        InputError: `ragged` does not add up to the numbers of queries and keys, or comes with `key_bias`.
    """
    q, k = q.to(v.dtype), k.to(v.dtype)
    if ragged is not None:
        _require_fit(ragged, q.shape[2], k.shape[2], key_bias)
        if xformers_backend.serves(q):
            return xformers_backend.memory_efficient(q, k, v, ragged)
        return _one_by_one(q, k, v, ragged)
    if key_bias is not None:
        return _biased(q, k, v, key_bias.to(v.dtype))
    return scaled_dot_product_attention(q, k, v)


def _biased(q: Tensor, k: Tensor, v: Tensor, key_bias: Tensor) -> Tensor:
    """The bias as one more channel: k' = (k, bias), q' = (q, sqrt(channels)).

    A mask that asks for gradients would leave the fused kernels, and store all scores.
    """
    channels = q.shape[-1]
    extra = 1 if v.dtype in (torch.float32, torch.float64) else 8  # half precision kernels want multiples of eight
    one = torch.full_like(q[..., :1], math.sqrt(channels))
    q = pad(torch.cat([q, one], dim=-1), (0, extra - 1))
    k = pad(torch.cat([k, key_bias[..., None]], dim=-1), (0, extra - 1))
    mixed = scaled_dot_product_attention(q, k, pad(v, (0, extra)), scale=1 / math.sqrt(channels))
    return mixed[..., :channels]


def _one_by_one(q: Tensor, k: Tensor, v: Tensor, ragged: Ragged) -> Tensor:
    """Each sequence by itself: no larger matrix of scores than the longest needs."""
    queries, keys = list(ragged.lengths), list(ragged.of_keys)
    parts = zip(q.split(queries, dim=2), k.split(keys, dim=2), v.split(keys, dim=2), strict=True)
    return torch.cat([scaled_dot_product_attention(*part) for part in parts], dim=2)


def _require_fit(ragged: Ragged, num_queries: int, num_keys: int, key_bias: Tensor | None) -> None:
    if key_bias is not None:
        raise InputError("attention over ragged sequences takes no key_bias", hint="call it for each sequence")
    if (sum(ragged.lengths), sum(ragged.of_keys)) != (num_queries, num_keys) or len(ragged.lengths) != len(
        ragged.of_keys
    ):
        raise InputError(
            f"{len(ragged.lengths)} sequences of {sum(ragged.lengths)} queries and {len(ragged.of_keys)} of "
            f"{sum(ragged.of_keys)} keys, but {num_queries} queries and {num_keys} keys were given",
            hint="lengths add up to the tokens of the sequence",
        )
