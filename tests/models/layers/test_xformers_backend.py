import inspect
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from models.layers import xformers_backend
from models.layers.attentions.sdpa import attention
from models.layers.contracts import Ragged
from recon.errors import InputError

xops = pytest.importorskip("xformers.ops", reason="no xformers, which the extra dev holds")
LENGTHS = [Ragged((3, 5, 1)), Ragged((3, 5, 1), (2, 4, 7))]


def heads(batch: int, length: int, seed: int) -> Tensor:
    return torch.randn(batch, 2, length, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def example(ragged: Ragged, batch: int = 2) -> list[Tensor]:
    return [heads(batch, sum(n), seed) for seed, n in enumerate([ragged.lengths, ragged.of_keys, ragged.of_keys])]


@pytest.mark.parametrize("ragged", LENGTHS)
def test_their_bias_is_our_description(ragged: Ragged):
    q, k, v = example(ragged)
    mask = xformers_backend.block_diagonal(ragged).materialize((q.shape[2], k.shape[2])).double()
    expected = scaled_dot_product_attention(q, k, v, attn_mask=mask)
    torch.testing.assert_close(attention(q, k, v, ragged=ragged), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("ragged", LENGTHS)
def test_the_call_has_their_signature_and_layout(ragged: Ragged, batch: int, monkeypatch: pytest.MonkeyPatch):
    signature = inspect.signature(xops.memory_efficient_attention)

    def as_documented(*args: Any, **kwargs: Any) -> Tensor:
        """[batch, tokens, heads, channels] in and out, as their documentation says."""
        bound = signature.bind(*args, **kwargs).arguments
        q, k, v = (bound[name].transpose(1, 2) for name in ("query", "key", "value"))
        mask = bound["attn_bias"].materialize((q.shape[2], k.shape[2])).double()
        return scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)

    monkeypatch.setattr(xops, "memory_efficient_attention", as_documented)
    q, k, v = example(ragged, batch)
    found = xformers_backend.memory_efficient(q, k, v, ragged)
    torch.testing.assert_close(found, attention(q, k, v, ragged=ragged), rtol=1e-10, atol=1e-10)


def test_their_kernels_for_blocks_are_still_called_so():
    known = [op for op in xops.fmha.ALL_FW_OPS if op.NAME.startswith(xformers_backend.KERNELS)]
    assert known
    for op in known:
        assert xops.fmha.attn_bias.BlockDiagonalMask in op.SUPPORTED_ATTN_BIAS_TYPES


def test_a_cpu_is_never_served(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(xformers_backend, "_has_kernels", lambda: True)
    assert not xformers_backend.serves(torch.zeros(1, dtype=torch.bfloat16))


def test_lengths_must_add_up():
    q = heads(1, 5, 0)
    with pytest.raises(InputError, match="2 sequences of 4 queries"):
        attention(q, q, q, ragged=Ragged((1, 3)))
    with pytest.raises(InputError, match="key_bias"):
        attention(q, q, q, ragged=Ragged((5,)), key_bias=torch.zeros(1, 2, 5))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_key_bias_is_a_mask_with_equal_rows(dtype: torch.dtype):
    q, k, v = (heads(2, 6, seed).to(dtype) for seed in range(3))
    bias = torch.randn(2, 2, 6, generator=torch.Generator().manual_seed(3)).to(dtype)
    expected = scaled_dot_product_attention(q.double(), k.double(), v.double(), attn_mask=bias[:, :, None].double())
    tolerance = 1e-10 if dtype == torch.float64 else 0.03
    found = attention(q, k, v, key_bias=bias)
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, rtol=tolerance, atol=tolerance)
