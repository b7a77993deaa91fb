"""Photographs of any size on one common canvas, with exact camera bookkeeping."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor

from recon.errors import InputError
from recon.types import Cameras, Photograph, ViewSet


@dataclass(frozen=True)
class _Placement:
    """Where a photograph lies on the canvas.

    Attributes:
        box: Left, upper, right, lower bound of the part that is shown, in photograph pixels.
        content: Width and height of that part on the canvas.
        corner: Canvas position of its upper left corner; negative if the canvas cuts it off.
    """

    box: tuple[float, float, float, float]
    content: tuple[int, int]
    corner: tuple[int, int]

    def canvas_from_photograph(self) -> Float[Tensor, "3 3"]:
        """Maps photograph pixel coordinates to canvas pixel coordinates."""
        left, upper, right, lower = self.box
        sx, sy = self.content[0] / (right - left), self.content[1] / (lower - upper)
        return torch.tensor(
            [[sx, 0, self.corner[0] - sx * left], [0, sy, self.corner[1] - sy * upper], [0, 0, 1]], dtype=torch.float64
        )


def to_view_set(
    photographs: Sequence[Photograph], *, resolution: int, multiple: int = 16, cameras: Cameras | None = None
) -> ViewSet:
    """Every photograph whole and centred on one canvas, its aspect ratio kept.

    The canvas is the smallest that holds all photographs at the same long side, so upright and lying ones meet on a
    square, and none is shown smaller than another.

    Args:
        photographs: At least one.
        resolution: Long side of the canvas in pixels, rounded to a multiple of `multiple`.
        multiple: Divides both sides of the canvas.
        cameras: In pixels of the photographs, one each; mapped to the canvas.

    Raises:
        InputError: There is no photograph, the resolution is not positive, or cameras belong to other sizes.
    """
    if not photographs or resolution < 1 or multiple < 1:
        raise InputError(
            f"{len(photographs)} photographs, resolution {resolution}, multiple {multiple}: expected at least 1 of each"
        )
    canvas = canvas_size([p.size for p in photographs], resolution, multiple)
    return _assemble(photographs, [_fit_whole(p.size, canvas) for p in photographs], canvas, cameras)


def center_crop_square(photographs: Sequence[Photograph], size: int, *, cameras: Cameras | None = None) -> ViewSet:
    """The central square of every photograph, resized so that its short side is `size`.

    The preparation of RealEstate10K and ACID frames in evaluation (pixelSplat, Charatan et al. 2024): the long side is
    rounded to whole pixels, then cut symmetrically. Principal points are carried over exactly.

    Raises:
        InputError: There is no photograph, the size is not positive, or cameras belong to other sizes.
    """
    if not photographs or size < 1:
        raise InputError(f"{len(photographs)} photographs, size {size}: expected at least 1 of each")
    return _assemble(photographs, [_cover_square(p.size, size) for p in photographs], (size, size), cameras)


def canvas_size(sizes: Sequence[tuple[int, int]], resolution: int, multiple: int) -> tuple[int, int]:
    """Width and height of the canvas that `to_view_set` makes for photographs of these widths and heights."""
    relative = np.array([np.array(size) / max(size) for size in sizes]).max(axis=0)
    width, height = np.maximum(1, np.round(relative * resolution / multiple)).astype(int) * multiple
    return int(width), int(height)


def _fit_whole(size: tuple[int, int], canvas: tuple[int, int]) -> _Placement:
    """One scale for both axes and whole canvas pixels: up to half a canvas pixel is cut off at each edge."""
    scale = min(canvas[0] / size[0], canvas[1] / size[1])
    content = tuple(max(1, int(scale * side + 1e-6)) for side in size)
    spare = [max(0.0, side - shown / scale) / 2 for side, shown in zip(size, content, strict=True)]
    return _Placement(
        box=(spare[0], spare[1], size[0] - spare[0], size[1] - spare[1]),
        content=(content[0], content[1]),
        corner=((canvas[0] - content[0]) // 2, (canvas[1] - content[1]) // 2),
    )


def _cover_square(size: tuple[int, int], side: int) -> _Placement:
    scale = side / min(size)
    content = (round(size[0] * scale), round(size[1] * scale))
    return _Placement(
        (0.0, 0.0, float(size[0]), float(size[1])), content, (-((content[0] - side) // 2), -((content[1] - side) // 2))
    )


def _assemble(
    photographs: Sequence[Photograph],
    placements: Sequence[_Placement],
    canvas: tuple[int, int],
    cameras: Cameras | None,
) -> ViewSet:
    drawn = [_draw(p.pixels, place, canvas) for p, place in zip(photographs, placements, strict=True)]
    canvas_from_photograph = torch.stack([place.canvas_from_photograph() for place in placements])
    shrink = [[p.size[0] / p.original_size[0], p.size[1] / p.original_size[1], 1.0] for p in photographs]
    return ViewSet(
        images=torch.from_numpy(np.stack([image for image, _ in drawn])).permute(0, 3, 1, 2).float() / 255,
        names=tuple(p.name for p in photographs),
        original_size=torch.tensor([p.original_size for p in photographs]),
        crop_from_original=(canvas_from_photograph @ torch.tensor(shrink, dtype=torch.float64).diag_embed()).float(),
        masks=torch.from_numpy(np.stack([mask for _, mask in drawn])),
        cameras=None if cameras is None else _map_cameras(cameras, photographs, canvas_from_photograph, canvas),
    ).validate()


def _draw(
    pixels: UInt8[np.ndarray, "height width 3"], place: _Placement, canvas: tuple[int, int]
) -> tuple[UInt8[np.ndarray, "canvas_height canvas_width 3"], Bool[np.ndarray, "canvas_height canvas_width"]]:
    """The canvas with its mask. Pillow widens the kernel when it reduces, so LANCZOS does not alias."""
    content = Image.fromarray(pixels).resize(place.content, Image.Resampling.LANCZOS, box=place.box)
    before = [max(0, c) for c in place.corner]
    after = [max(0, side - c - shown) for side, c, shown in zip(canvas, place.corner, place.content, strict=True)]
    cut = [max(0, -c) for c in place.corner]
    shown = np.asarray(content)[cut[1] : cut[1] + canvas[1], cut[0] : cut[0] + canvas[0]]
    margins = ((before[1], after[1]), (before[0], after[0]))
    image = np.pad(shown, (*margins, (0, 0)), mode="edge")
    return image, np.pad(np.ones(shown.shape[:2], dtype=bool), margins)


def _map_cameras(
    cameras: Cameras,
    photographs: Sequence[Photograph],
    canvas_from_photograph: Float[Tensor, "views 3 3"],
    canvas: tuple[int, int],
) -> Cameras:
    sizes = torch.tensor([p.size for p in photographs])
    if not torch.equal(cameras.size.to(sizes), sizes):
        raise InputError(
            f"cameras are made for sizes {cameras.size.tolist()}, the photographs have {sizes.tolist()}",
        )
    K = canvas_from_photograph.to(cameras.K.device) @ cameras.K.double()
    return replace(cameras, K=K.to(cameras.K.dtype), size=torch.tensor([canvas]).expand(len(sizes), 2).clone())
