"""What every data set is read as: captures, that is frames of one place in order, with their cameras."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from recon.data.captures.checks import MISSING_FRAMES
from recon.errors import FormatError, UnusableCaptureError
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
        missing: Numbers, ascending, that frames without a picture have in the capture as it was published, by which
            evaluation indexes name frames. Those that are here have the other numbers.
    """

    name: str
    cameras: Cameras
    picture: Callable[[int], UInt8[ndarray, "height width 3"]]
    inverse_depth: Callable[[int], Float[Tensor, "height width"]] | None = None
    encoded: Callable[[int], bytes] | None = None
    timestamps: tuple[int, ...] = ()
    url: str = ""
    missing: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.cameras)

    @property
    def num_published(self) -> int:
        """Frames that the capture had when it was published."""
        return len(self) + len(self.missing)

    def frames_of(self, published: Sequence[int]) -> list[int]:
        """Frames by the numbers that they were published with.

        Raises:
            UnusableCaptureError: One of them is not here.
        """
        if lost := sorted(set(published) & set(self.missing)):
            raise UnusableCaptureError(
                MISSING_FRAMES,
                f"{self.name}: the evaluation index names frame {lost[0]}, which has no picture "
                f"({len(self.missing)} of {self.num_published} have none)",
                hint="fetch the pictures again; the capture can be trained on as it is",
            )
        return [number - bisect_left(self.missing, number) for number in published]


def read_missing(where: str, value: object, num_frames: int) -> tuple[int, ...]:
    """`Capture.missing` as a file states it.

    Args:
        where: Beginning of the message.
        value: What stands there; None for nothing.
        num_frames: Of the frames that are here.

    Raises:
        FormatError: It is no ascending list of numbers of frames.
    """
    if value is None:
        return ()
    numbers = value if isinstance(value, list) else []
    total = num_frames + len(numbers)
    whole = all(type(number) is int and 0 <= number < total for number in numbers)
    if not (numbers and whole and all(a < b for a, b in pairwise(numbers))):
        raise FormatError(f"{where}: missing_frames is {str(value)[:80]}, expected ascending numbers of frames")
    return tuple(numbers)


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
