"""Photographs ready for a network."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from recon.errors import InputError
from recon.types.cameras import Cameras
from recon.types.checks import require_finite, require_shape


@dataclass(frozen=True)
class ViewSet:
    """N photographs on one common canvas.

    Photographs of other aspect ratios are fitted into the canvas whole; `masks` tells which pixels are theirs.

    Attributes:
        images: Upright sRGB, 0..1. Outside the mask the nearest edge pixel is repeated.
        names: File names, unique, in order.
        original_size: Width and height of each upright photograph before resizing.
        crop_from_original: Maps original pixel coordinates to canvas pixel coordinates.
        cameras: Cameras of the canvas images, or None before poses are known.
        masks: True where the canvas shows the photograph.
    """

    images: Float[Tensor, "views 3 height width"]
    names: tuple[str, ...]
    original_size: Int[Tensor, "views 2"]
    crop_from_original: Float[Tensor, "views 3 3"]
    masks: Bool[Tensor, "views height width"]
    cameras: Cameras | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: list[int]) -> "ViewSet":
        return ViewSet(
            images=self.images[index],
            names=tuple(self.names[i] for i in index),
            original_size=self.original_size[index],
            crop_from_original=self.crop_from_original[index],
            masks=self.masks[index],
            cameras=None if self.cameras is None else self.cameras[index],
        )

    @property
    def height(self) -> int:
        """Canvas height in pixels."""
        return self.images.shape[2]

    @property
    def width(self) -> int:
        """Canvas width in pixels."""
        return self.images.shape[3]

    @property
    def posed_cameras(self) -> Cameras:
        """The cameras, for whoever cannot do without.

        Raises:
            InputError: There are none.
        """
        if self.cameras is None:
            raise InputError(f"the {len(self)} views have no cameras, expected posed ones")
        return self.cameras

    def bounds(self) -> Int[Tensor, "views 4"]:
        """Left, top, right and bottom of each photograph on its canvas, in pixels; zeros where none is shown."""
        columns, rows = self.masks.any(1).int(), self.masks.any(2).int()
        first = torch.stack([columns.argmax(1), rows.argmax(1)], dim=1)
        behind = torch.tensor([self.width, self.height], device=first.device)
        last = behind - torch.stack([columns.flip(1).argmax(1), rows.flip(1).argmax(1)], dim=1)
        return torch.cat([first, last], dim=1) * self.masks.flatten(1).any(1)[:, None]

    def with_cameras(self, cameras: Cameras) -> "ViewSet":
        """The same views with cameras of the canvas images."""
        return replace(self, cameras=cameras)

    def validate(self) -> "ViewSet":
        """Return self, or raise a typed error."""
        num, _, height, width = self.images.shape
        require_shape("images", self.images, (num, 3, height, width))
        require_shape("masks", self.masks, (num, height, width))
        require_shape("original_size", self.original_size, (num, 2))
        require_shape("crop_from_original", self.crop_from_original, (num, 3, 3))
        require_finite("images", self.images)
        if len(self.names) != num or len(set(self.names)) != num:
            raise InputError(f"{num} images have {len(set(self.names))} distinct names, expected {num}")
        if self.cameras is not None:
            if len(self.cameras) != num:
                raise InputError(f"{num} images have {len(self.cameras)} cameras")
            self.cameras.validate()
            canvas = torch.tensor([width, height])
            if not bool((self.cameras.size.cpu() == canvas).all()):
                raise InputError(f"cameras are made for other image sizes than the canvas {width}x{height}")
        return self
