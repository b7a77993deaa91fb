"""The kernels as one differentiable operation."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from recon.render.cpu.frame import Inputs, frame_gradient, render_frame


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


class Rasterize(torch.autograd.Function):
    """The fields of `frame.Inputs` as tensors, then `frame.Settings`, to colour and alpha."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> tuple[Tensor, Tensor]:
        """Render; tensors of one real type on the CPU."""
        *tensors, settings = args
        inputs = Inputs(*map(_array, tensors))
        width, height = settings.size
        num_cameras, num_channels = inputs.backgrounds.shape
        color = tensors[0].new_empty(num_cameras, height, width, num_channels)
        alpha = tensors[0].new_empty(num_cameras, height, width, 1)
        ctx.frame = render_frame(inputs, settings, color.numpy(), alpha.numpy())
        ctx.save_for_backward(*tensors, color, alpha)
        return color, alpha

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Tensor | None, ...]:
        """Gradients of all inputs but the intrinsics and the settings."""
        g_color, g_alpha = grad_outputs
        *tensors, color, alpha = ctx.saved_tensors
        wanted = dict(zip(Inputs._fields, ctx.needs_input_grad, strict=False))
        outputs = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for tensor in tensors[:5]]
        g_cameras = frame_gradient(
            ctx.frame,
            *map(_array, (color, alpha, g_color, g_alpha)),
            outputs=tuple(output.numpy() for output in outputs),
            want_cameras=wanted["viewmats"] or wanted["centers"],
        )
        g_viewmats = np.zeros((len(g_cameras), 4, 4), g_cameras.dtype)
        g_viewmats[:, :3, :3], g_viewmats[:, :3, 3] = g_cameras[:, :9].reshape(-1, 3, 3), g_cameras[:, 9:12]
        from_cameras = [torch.from_numpy(array).to(color) for array in (g_viewmats, g_cameras[:, 12:])]
        g_backgrounds = None
        if wanted["backgrounds"]:
            g_backgrounds = torch.einsum("chwd,chw->cd", g_color, 1 - alpha[..., 0])
        return (*outputs, *from_cameras, None, g_backgrounds, None)
