"""Experimental: a gated layer whose gate and value share one matrix (masked gated linear unit, Tajima et al. 2025)."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from models.layers.contracts import FeedForward, Mode
from models.layers.feedforwards.parts import gated_width, require_full_width, uniform_rows
from models.layers.linears.dense import Dense


class MaskedGLU(FeedForward):
    """h = sum_i silu((M_i * W) x) * ((1 - M_i) * W) x with binary masks M_i, then one more matrix.

    Two thirds of the numbers of a gated layer, plus one bit for each entry and mask; no fewer multiply-adds than a GELU
    layer. It makes files smaller, not computing faster. Masks are learned as real numbers whose sign counts, with the
    gradient passed straight through; `finalise` packs them to bits.

    Args:
        dim: Token width.
        ratio: As for `SwiGLU`.
        masks: Number of masks.
    """

    mask_bits: Tensor
    gates: Tensor

    def __init__(self, dim: int, ratio: float = 4.0, masks: int = 1):
        super().__init__(dim)
        self.dim, self.num_masks, self.hidden_width = dim, masks, gated_width(dim, ratio)
        self.weight = uniform_rows(self.hidden_width, dim, dim)
        self.mask_logits: nn.Parameter | None = uniform_rows(masks * self.hidden_width, dim, dim)
        self.fc2 = Dense(self.hidden_width, dim)
        self.register_load_state_dict_post_hook(_refresh_gates)

    @property
    def finalised(self) -> bool:
        """Whether masks are bits."""
        return self.mask_logits is None

    def masks(self) -> Bool[Tensor, "rows dim"]:
        """Which entries belong to the gate, mask below mask."""
        return _unpack(self.mask_bits, self.dim) if self.mask_logits is None else self.mask_logits >= 0

    def gate_weights(self) -> Float[Tensor, "rows dim"]:
        """The masked matrices, one below the other; gradients reach the masks as if they were real numbers."""
        if self.mask_logits is None:
            return self.gates
        hard = self.masks().to(self.weight.dtype)
        mask = hard + self.mask_logits - self.mask_logits.detach() if self.training else hard
        return mask * self.weight.repeat(self.num_masks, 1)

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The update from normed tokens; the value is what the gate leaves of the whole product."""
        require_full_width(width)
        whole = linear(normed, self.weight)
        gate = linear(normed, self.gate_weights()).unflatten(-1, (self.num_masks, self.hidden_width))
        return self.fc2((silu(gate) * (whole[..., None, :] - gate)).sum(dim=-2))

    def macs(self, num_tokens: int, mode: Mode) -> int:
        """The matrix once, once for each mask, and the second matrix."""
        return num_tokens * (self.num_masks + 2) * self.dim * self.hidden_width

    @torch.no_grad()
    def finalise(self) -> None:
        """Pack the masks to bits and keep the masked matrices at hand; they are not part of the state dict."""
        if self.mask_logits is None:
            return
        self.register_buffer("mask_bits", _pack(self.mask_logits >= 0))
        self.mask_logits = None
        self.register_buffer("gates", torch.empty(0), persistent=False)
        _refresh_gates(self)


def _refresh_gates(layer: nn.Module, _: Any = None) -> None:
    """Mask the matrix anew, after the numbers of a layer in use were loaded."""
    if isinstance(layer, MaskedGLU) and layer.finalised:
        masked = layer.masks().to(layer.weight.dtype) * layer.weight.detach().repeat(layer.num_masks, 1)
        layer.gates = masked


def _pack(bits: Bool[Tensor, "rows columns"]) -> UInt8[Tensor, " bytes"]:
    """Eight bits to a byte, lowest first; each row is filled up with zeros."""
    padded = nn.functional.pad(bits, (0, -bits.shape[1] % 8)).reshape(-1, 8).to(torch.uint8)
    return (padded << torch.arange(8, dtype=torch.uint8, device=bits.device)).sum(dim=-1, dtype=torch.uint8)


def _unpack(packed: UInt8[Tensor, " bytes"], columns: int) -> Bool[Tensor, "rows columns"]:
    """The bits of `_pack`."""
    bits = packed[:, None] >> torch.arange(8, dtype=torch.uint8, device=packed.device) & 1
    return bits.bool().view(-1, -(-columns // 8) * 8)[:, :columns]
