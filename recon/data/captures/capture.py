"""What every data set is read as: captures, that is frames of one place in order, with their cameras."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from recon.types import Cameras


@dataclass(frozen=True)
class Capture:
    """Frames of one place; their pictures are decoded only when asked for.

    Attributes:
        name: Unique in its data set: the key by which evaluation indexes name it.
        cameras: One per frame, in pixels of the pictures that `picture` returns, which are free of distortion.
        picture: Decodes a frame by its number: upright sRGB of the size that `cameras` says. Raises FormatError where
            the file is damaged.
        inverse_depth: Decodes the depth of a frame where the data set has it: 1 / z-depth in 1 / units of the poses, 0
            at infinity.
        encoded: The file of a frame as it is stored, where `picture` is nothing but its decoding: stored upright, free
            of distortion.
        timestamps: Microseconds of each frame in its video; empty where the data set has none.
        url: Of the video; empty where the data set names none.
    """

    name: str
    cameras: Cameras
    picture: Callable[[int], UInt8[ndarray, "height width 3"]]
    inverse_depth: Callable[[int], Float[Tensor, "height width"]] | None = None
    encoded: Callable[[int], bytes] | None = None
    timestamps: tuple[int, ...] = ()
    url: str = ""

    def __len__(self) -> int:
        return len(self.cameras)


@runtime_checkable
class CaptureSource(Protocol):
    """A data set on disk, or a split of one."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all captures, unique, in an order that depends on the files alone."""
        ...

    def __getitem__(self, index: int) -> Capture:
        """The capture `names[index]`.

        Raises:
            UnusableCaptureError: It cannot be trained or evaluated on.
            FormatError: The file that holds it is damaged.
        """
        ...

    def __len__(self) -> int: ...
