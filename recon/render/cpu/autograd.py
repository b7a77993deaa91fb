"""The kernels as one differentiable operation."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recon.render.cpu.backward import blend_gradient
from recon.render.cpu.binning import bin_camera
from recon.render.cpu.ewa import pack_cameras
from recon.render.cpu.forward import blend
from recon.render.cpu.layout import NUM_MOMENTS, TILE, pixel_offsets, record_width
from recon.render.cpu.projection import project
from recon.render.cpu.projection_backward import project_gradient
from recon.render.cpu.threads import run_chunks

# Gaussians whose camera gradients are summed in one go; a constant, so that sums do not depend on the threads.
_GRADIENT_CHUNK = 4096


@dataclass(frozen=True)
class Settings:
    """What is not differentiated.

    Attributes:
        size: Width and height in pixels.
        limits: near, far, eps2d, radius_clip, min_compensation.
        antialiased: Compensate opacities for the blur.
        max_alpha: Cap of alpha.
        with_depth: Append z as a channel.
    """

    size: tuple[int, int]
    limits: tuple[float, float, float, float, float]
    antialiased: bool
    max_alpha: float
    with_depth: bool


@dataclass
class _Lists:
    """What the forward pass leaves for the backward pass besides its inputs and outputs."""

    grid: tuple[int, int]
    cameras: np.ndarray
    records: np.ndarray
    counts: np.ndarray
    offsets: np.ndarray
    tile_starts: np.ndarray
    entry_pair: np.ndarray
    entry_slot: np.ndarray
    tile_stops: np.ndarray
    entry_blocks: np.ndarray


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


def _limits(settings: Settings, dtype: np.dtype) -> tuple:
    return tuple(dtype.type(value) for value in settings.limits)


def _prepare(inputs: tuple[np.ndarray, ...], settings: Settings) -> _Lists:
    """Project, sort and bin."""
    means, quats, scales, opacities, colors, viewmats, Ks = inputs
    num, num_cameras, dtype = len(means), len(viewmats), means.dtype
    grid = (-(-settings.size[0] // TILE), -(-settings.size[1] // TILE))
    pairs = num * num_cameras
    cameras = pack_cameras(viewmats, Ks, *settings.size)
    records = np.empty((pairs, record_width(colors.shape[2] + settings.with_depth)), dtype)
    depths, counts = np.empty(pairs, np.float32), np.empty(pairs, np.int32)
    rects = np.empty((pairs, 4), np.int16)
    project_pairs = partial(
        _project, means, quats, scales, opacities, colors, cameras, settings.size,
        _limits(settings, dtype), settings.antialiased, settings.with_depth, records, depths, rects, counts,
    )  # fmt: skip
    run_chunks(project_pairs, pairs)
    offsets = np.zeros(pairs + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    total = int(offsets[-1])
    tile_starts = np.full(num_cameras * grid[0] * grid[1] + 1, total, np.int64)
    entry_pair, entry_slot = np.empty(total, np.int32), np.empty(total, np.int32)

    def bin_cameras(lo: int, hi: int) -> None:
        bin_camera(
            lo, hi, num, grid, depths.view(np.uint32), counts, offsets, rects, tile_starts, entry_pair, entry_slot
        )

    run_chunks(bin_cameras, num_cameras)
    tile_stops, entry_blocks = np.empty(len(tile_starts) - 1, np.int64), np.empty(total, np.uint16)
    return _Lists(
        grid, cameras, records, counts, offsets, tile_starts, entry_pair, entry_slot, tile_stops, entry_blocks
    )


def _project(*arguments: Any) -> None:
    *arrays, lo, hi = arguments
    project(lo, hi, *arrays)


class Rasterize(torch.autograd.Function):
    """(means, quats, scales, opacities, colors [1|C,N,D], viewmats, Ks, backgrounds [C,D'], settings) -> color, alpha.

    D' = D, plus one when depth is appended.
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> tuple[Tensor, Tensor]:
        """Render; tensors of one real type on the CPU."""
        *tensors, settings = args
        inputs = tuple(map(_array, tensors[:7]))
        lists, backgrounds = _prepare(inputs, settings), _array(tensors[7])
        num_cameras, num_channels = backgrounds.shape
        means, (width, height) = tensors[0], settings.size
        color = means.new_empty(num_cameras, height, width, num_channels)
        alpha = means.new_empty(num_cameras, height, width, 1)
        dtype = inputs[0].dtype
        color_out, alpha_out = color.numpy(), alpha.numpy()

        def blend_tiles(lo: int, hi: int) -> None:
            blend(
                lo, hi, (0,) * num_channels, lists.grid, settings.size, pixel_offsets(dtype),
                lists.tile_starts, lists.entry_pair, lists.records, backgrounds, dtype.type(settings.max_alpha),
                color_out, alpha_out, lists.tile_stops, lists.entry_blocks,
            )  # fmt: skip

        run_chunks(blend_tiles, len(lists.tile_starts) - 1)
        ctx.save_for_backward(*tensors, color, alpha)
        ctx.settings, ctx.lists = settings, lists
        return color, alpha

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Tensor | None, ...]:
        """Gradients of all inputs but the intrinsics and the settings."""
        g_color, g_alpha = grad_outputs
        *tensors, backgrounds, color, alpha = ctx.saved_tensors
        slots = _blend_gradient(ctx, _array(backgrounds), *map(_array, (color, alpha, g_color, g_alpha)))
        g_inputs, g_viewmats = _project_gradient(ctx, tensors, slots, want_cameras=ctx.needs_input_grad[5])
        g_backgrounds = None
        if ctx.needs_input_grad[7]:
            g_backgrounds = torch.einsum("chwd,chw->cd", g_color, 1 - alpha[..., 0])
        return (*g_inputs, g_viewmats, None, g_backgrounds, None)


def _blend_gradient(
    ctx: Any, backgrounds: np.ndarray, color: np.ndarray, alpha: np.ndarray, g_color: np.ndarray, g_alpha: np.ndarray
) -> np.ndarray:
    lists, settings, dtype = ctx.lists, ctx.settings, color.dtype
    num_channels = color.shape[3]
    slots = np.empty((len(lists.entry_slot), NUM_MOMENTS + num_channels), dtype)

    def gather_tiles(lo: int, hi: int) -> None:
        blend_gradient(
            lo, hi, (0,) * num_channels, lists.grid, settings.size, pixel_offsets(dtype),
            lists.tile_starts, lists.tile_stops, lists.entry_pair, lists.entry_slot, lists.entry_blocks, lists.records,
            backgrounds, dtype.type(settings.max_alpha), color, alpha, g_color, g_alpha, slots,
        )  # fmt: skip

    run_chunks(gather_tiles, len(lists.tile_starts) - 1)
    return slots


def _project_gradient(
    ctx: Any, tensors: list[Tensor], slots: np.ndarray, *, want_cameras: bool
) -> tuple[list[Tensor], Tensor | None]:
    lists, settings = ctx.lists, ctx.settings
    means, quats, scales, opacities = map(_array, tensors[:4])
    num, dtype = len(means), means.dtype
    outputs = [torch.zeros_like(t, memory_format=torch.contiguous_format) for t in tensors[:5]]
    arrays = [t.numpy() for t in outputs]
    g_cameras = np.zeros((-(-num // _GRADIENT_CHUNK), len(lists.cameras), 12), dtype)

    def chunk_gradient(lo: int, hi: int) -> None:
        project_gradient(
            lo, hi, means, quats, scales, opacities, lists.cameras, _limits(settings, dtype), settings.antialiased,
            settings.with_depth, want_cameras, lists.counts, lists.offsets, slots, *arrays,
            g_cameras[lo // _GRADIENT_CHUNK],
        )  # fmt: skip

    run_chunks(chunk_gradient, num, chunk=_GRADIENT_CHUNK)
    if not want_cameras:
        return outputs, None
    g_viewmats = np.zeros((len(lists.cameras), 4, 4), dtype)
    summed = g_cameras.sum(0, dtype=np.float64)
    g_viewmats[:, :3, :3] = summed[:, :9].reshape(-1, 3, 3)
    g_viewmats[:, :3, 3] = summed[:, 9:]
    return outputs, torch.from_numpy(g_viewmats)
