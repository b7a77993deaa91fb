"""The steps of the forward and of the backward pass over NumPy arrays."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from recon.errors import LimitError
from recon.render.cpu.backward import blend_gradient
from recon.render.cpu.binning import fill_lists, place_lists, sort_lists
from recon.render.cpu.ewa import CAMERA_GRADIENT_WIDTH, pack_cameras
from recon.render.cpu.forward import blend
from recon.render.cpu.layout import NUM_MOMENTS, TILE, pixel_offsets, record_width
from recon.render.cpu.projection import project
from recon.render.cpu.projection_backward import project_gradient
from recon.render.cpu.threads import run_chunks

# Gaussians whose camera gradients are summed in one go; a constant, so that sums do not depend on the threads.
_GRADIENT_CHUNK = 2048
_PIECES_PER_THREAD = 4
_SMALLEST_PIECE = 1024
_MAX_ENTRIES = 2**31 - 1  # of pairs of Gaussian and tile: their numbers are int32


@dataclass(frozen=True)
class Settings:
    """What is not differentiated.

    Attributes:
        size: Width and height in pixels.
        limits: near, far, eps2d, radius_clip rounded down, min_compensation.
        antialiased: Compensate opacities for the blur.
        max_alpha: Cap of alpha.
        with_depth: Append z as a channel.
        num_harmonics: Coefficients used of each colour channel, or 0 where colours are given.
    """

    size: tuple[int, int]
    limits: tuple[float, float, float, float, float]
    antialiased: bool
    max_alpha: float
    with_depth: bool
    num_harmonics: int


class Inputs(NamedTuple):
    """Arrays of one real type; for shapes see `projection.project`, with `centers` [C, 3] and `backgrounds` [C, D']."""

    means: np.ndarray
    quats: np.ndarray
    scales: np.ndarray
    opacities: np.ndarray
    colors: np.ndarray
    viewmats: np.ndarray
    centers: np.ndarray
    Ks: np.ndarray
    backgrounds: np.ndarray


@dataclass
class Frame:
    """Gaussians sorted into the tiles of all cameras: what the backward pass needs besides inputs and images."""

    inputs: Inputs
    settings: Settings
    cameras: np.ndarray
    records: np.ndarray
    counts: np.ndarray
    offsets: np.ndarray
    tile_starts: np.ndarray
    tile_stops: np.ndarray
    entry_pair: np.ndarray
    entry_slot: np.ndarray
    entry_blocks: np.ndarray

    @property
    def blend_arguments(self) -> dict[str, Any]:
        """What blending and its gradient have in common."""
        dtype = self.inputs.means.dtype
        return {
            "channels": (0,) * self.inputs.backgrounds.shape[1],
            "grid": _grid(self.settings.size),
            "size": self.settings.size,
            "offsets": pixel_offsets(dtype),
            "max_alpha": dtype.type(self.settings.max_alpha),
        }


def _grid(size: tuple[int, int]) -> tuple[int, int]:
    return -(-size[0] // TILE), -(-size[1] // TILE)


def _limits(settings: Settings, dtype: np.dtype) -> tuple:
    return tuple(dtype.type(value) for value in settings.limits)


def render_frame(inputs: Inputs, settings: Settings, color: np.ndarray, alpha: np.ndarray) -> Frame:
    """Project, sort into tiles, and blend into `color` [C, height, width, D'] and `alpha` [C, height, width, 1]."""
    num, num_cameras = len(inputs.means), len(inputs.viewmats)
    num_pairs, grid, dtype = num * num_cameras, _grid(settings.size), inputs.means.dtype
    parts = _parts(num, num_cameras)
    num_pieces = parts * num_cameras
    cameras = pack_cameras(inputs.viewmats, inputs.centers, inputs.Ks, settings.size)
    records = np.empty((num_pairs, record_width(inputs.backgrounds.shape[1])), dtype)
    depths, counts = np.empty(num_pairs, np.float32), np.empty(num_pairs, np.int32)
    rects = np.empty((num_pairs, 3), np.int16)
    tile_counts = np.empty((num_pieces, grid[0] * grid[1]), np.int32)
    limits, harmonics = _limits(settings, dtype), (0,) * settings.num_harmonics
    run_chunks(
        project, num_pieces, parts, *inputs[:5], harmonics, cameras, settings.size, limits, settings.antialiased,
        settings.with_depth, records, depths, rects, counts, tile_counts, chunk=1,
    )  # fmt: skip
    tile_starts = np.empty(num_cameras * grid[0] * grid[1] + 1, np.int64)
    piece_slots, offsets = np.empty(num_pieces + 1, np.int64), np.zeros(num_pairs + 1, np.int64)
    place_lists(parts, tile_counts, tile_starts, piece_slots)
    num_entries = int(tile_starts[-1])
    if num_entries > _MAX_ENTRIES:
        raise LimitError(
            f"the Gaussians touch {num_entries} tiles, expected at most {_MAX_ENTRIES}",
            hint="many Gaussians are as large as the image; render fewer of them or fewer cameras at a time",
        )
    entry_pair, entry_slot = np.empty(num_entries, np.int32), np.empty(num_entries, np.int32)
    frame = Frame(
        inputs, settings, cameras, records, counts, offsets, tile_starts, np.empty(len(tile_starts) - 1, np.int64),
        entry_pair, entry_slot, np.empty(num_entries, np.uint16),
    )  # fmt: skip
    run_chunks(
        fill_lists, num_pieces, parts, num, grid[0], counts, rects, tile_counts, piece_slots, offsets, entry_pair,
        entry_slot, chunk=1,
    )  # fmt: skip
    common = tuple(frame.blend_arguments.values())
    run_chunks(_blend_tiles, len(frame.tile_stops), frame, common, depths.view(np.uint32), color, alpha)
    return frame


def _parts(num: int, num_cameras: int) -> int:
    """Pieces per camera: enough for all threads, none tiny."""
    wanted = -(-torch.get_num_threads() * _PIECES_PER_THREAD // num_cameras)
    return max(1, min(wanted, num // _SMALLEST_PIECE)) if torch.get_num_threads() > 1 else 1


def _blend_tiles(
    lo: int, hi: int, frame: Frame, common: tuple, depth_bits: np.ndarray, color: np.ndarray, alpha: np.ndarray
) -> None:
    sort_lists(lo, hi, depth_bits, frame.tile_starts, frame.entry_pair, frame.entry_slot)
    blend(
        lo, hi, *common, frame.tile_starts, frame.entry_pair, frame.records, frame.inputs.backgrounds,
        color, alpha, frame.tile_stops, frame.entry_blocks,
    )  # fmt: skip


def frame_gradient(
    frame: Frame,
    color: np.ndarray,
    alpha: np.ndarray,
    g_color: np.ndarray,
    g_alpha: np.ndarray,
    outputs: tuple[np.ndarray, ...],
    *,
    want_cameras: bool,
) -> np.ndarray:
    """Write the gradients of the first five inputs; return that of the cameras [C, 15], see `project_gradient`."""
    slots = np.empty((len(frame.entry_slot), NUM_MOMENTS + color.shape[3]), color.dtype)
    common = tuple(frame.blend_arguments.values())
    run_chunks(
        blend_gradient, len(frame.tile_stops), *common, frame.tile_starts, frame.tile_stops, frame.entry_pair,
        frame.entry_slot, frame.entry_blocks, frame.records, frame.inputs.backgrounds, color, alpha, g_color, g_alpha,
        slots,
    )  # fmt: skip
    num = len(frame.inputs.means)
    g_cameras = np.zeros((-(-num // _GRADIENT_CHUNK), len(frame.cameras), CAMERA_GRADIENT_WIDTH), color.dtype)
    run_chunks(_project_chunk, num, frame, slots, want_cameras, outputs, g_cameras, chunk=_GRADIENT_CHUNK)
    return g_cameras.sum(0, dtype=np.float64)


def _project_chunk(
    lo: int,
    hi: int,
    frame: Frame,
    slots: np.ndarray,
    want_cameras: bool,
    outputs: tuple[np.ndarray, ...],
    g_cameras: np.ndarray,
) -> None:
    inputs, settings = frame.inputs, frame.settings
    limits, harmonics = _limits(settings, slots.dtype), (0,) * settings.num_harmonics
    project_gradient(
        lo, hi, *inputs[:5], harmonics, frame.cameras, limits, settings.antialiased, settings.with_depth,
        want_cameras, frame.counts, frame.offsets, slots, *outputs, g_cameras[lo // _GRADIENT_CHUNK],
    )  # fmt: skip
