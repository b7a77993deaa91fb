"""xformers on CUDA for views of different sizes: one kernel over all of them, where SDPA takes one call a view.

This is the only file that imports xformers, at the moment of use. It has no kernels for a CPU, and its wheels hold
CUDA kernels for one version of torch only; whether they are there is asked, not found out by failing.
"""

from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from models.layers.contracts import Ragged

KERNELS = ("fa2F", "fa3F", "cutlassF")
"""Beginnings of the names of forward operators that take block-diagonal masks."""


def serves(q: Tensor) -> bool:
    """Whether xformers can attend with such queries here: half precision on CUDA, with its kernels there."""
    return torch.cuda.is_available() and q.is_cuda and q.dtype in (torch.float16, torch.bfloat16) and _has_kernels()


def memory_efficient(
    q: Float[Tensor, "batch heads queries channels"],
    k: Float[Tensor, "batch heads keys channels"],
    v: Float[Tensor, "batch heads keys channels"],
    ragged: Ragged,
) -> Float[Tensor, "batch heads queries channels"]:
    """Attention within each sequence of `ragged`, of each scene of the batch."""
    from xformers.ops import memory_efficient_attention

    arguments = call_arguments(q, k, v, ragged)
    mixed = memory_efficient_attention(**arguments)
    return mixed.unflatten(1, (q.shape[0], -1)).squeeze(0).transpose(1, 2)


def call_arguments(q: Tensor, k: Tensor, v: Tensor, ragged: Ragged) -> dict[str, Any]:
    """Arguments of memory_efficient_attention: all scenes in one sequence [1, batch * tokens, heads, channels]."""
    batch = len(q)
    rows = [x.transpose(1, 2).flatten(0, 1)[None] for x in (q, k, v)]
    bias = block_diagonal(Ragged(ragged.lengths * batch, ragged.of_keys * batch), q.device)
    return {"query": rows[0], "key": rows[1], "value": rows[2], "attn_bias": bias}


def block_diagonal(ragged: Ragged, device: torch.device | None = None) -> Any:
    """The BlockDiagonalMask of xformers for sequences laid end to end."""
    from xformers.ops.fmha.attn_bias import BlockDiagonalMask

    return BlockDiagonalMask.from_seqlens(list(ragged.lengths), list(ragged.of_keys), device=device)


@cache
def _has_kernels() -> bool:
    if find_spec("xformers") is None:
        return False
    from xformers.ops.fmha import ALL_FW_OPS

    return any(op.is_available() and op.NAME.startswith(KERNELS) for op in ALL_FW_OPS)
