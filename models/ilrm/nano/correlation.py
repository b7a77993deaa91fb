"""Correlation of a reference feature with a source feature at given places: the inner loop of a plane sweep.

On the CPU a fused numba kernel (no warped feature volume is ever stored); elsewhere torch's grid_sample. Both compute
<reference(y, x), bilinear(source, uv(d, y, x))> with zeros outside the source image.
"""

import importlib.util
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample

from recon.render.cpu.threads import run_chunks

HAS_NUMBA = importlib.util.find_spec("numba") is not None


def correlate(
    reference: Float[Tensor, "pairs height width channels"],
    source: Float[Tensor, "pairs source_height source_width channels"],
    uv: Float[Tensor, "pairs planes height width 2"],
) -> Float[Tensor, "pairs planes height width"]:
    """Inner products of reference features with bilinearly sampled source features.

    Args:
        reference: Features of the views whose depth is sought.
        source: Features of the other view of each pair.
        uv: Where each reference pixel falls in the source at each plane, in source pixels (centres at +0.5).
    """
    if reference.device.type == "cpu" and HAS_NUMBA:
        return _FusedCorrelation.apply(reference.float(), source.float(), uv.float())
    return _correlate_torch(reference, source, uv)


def _correlate_torch(reference: Tensor, source: Tensor, uv: Tensor) -> Tensor:
    num_pairs, num_planes, height, width, _ = uv.shape
    size = torch.tensor([source.shape[2], source.shape[1]], device=uv.device, dtype=uv.dtype)
    grid = (uv * 2 / size - 1).reshape(num_pairs, num_planes * height, width, 2)
    warped = grid_sample(source.permute(0, 3, 1, 2), grid.to(source.dtype), align_corners=False)
    warped = warped.unflatten(2, (num_planes, height))
    return torch.einsum("pcdhw,phwc->pdhw", warped, reference)


class _FusedCorrelation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, reference: Tensor, source: Tensor, uv: Tensor) -> Tensor:
        from models.ilrm.nano import correlation_kernels as kernels

        reference, source, uv = reference.contiguous(), source.contiguous(), uv.contiguous()
        ctx.save_for_backward(reference, source, uv)
        out = torch.empty(uv.shape[:-1])
        arrays = (reference.detach().numpy(), source.detach().numpy(), uv.detach().numpy(), out.numpy())
        run_chunks(kernels.correlate_forward, len(uv), *arrays, chunk=1)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        from models.ilrm.nano import correlation_kernels as kernels

        reference, source, uv = ctx.saved_tensors
        grad_reference, grad_source = torch.zeros_like(reference), torch.zeros_like(source)
        inputs = (
            reference.detach().numpy(),
            source.detach().numpy(),
            uv.detach().numpy(),
            grads[0].contiguous().numpy(),
        )
        arrays = (*inputs, grad_reference.numpy(), grad_source.numpy())
        run_chunks(kernels.correlate_backward, len(uv), *arrays, chunk=1)
        return grad_reference, grad_source, None
