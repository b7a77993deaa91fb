"""Data sets whose captures are all known when they are opened: by name, each in a place of its own."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recon.data.captures.capture import Capture
from recon.data.captures.checks import CaptureChecks
from recon.data.captures.pictures import PICTURE_LIMITS
from recon.errors import FormatError


class ListedCaptures(ABC):
    """Names, number and order of captures; subclasses read one.

    Args:
        places: Name of each capture -> its file or folder, in the order of the data set.
        checks: What is not used.
    """

    def __init__(self, places: Mapping[str, Path], checks: CaptureChecks):
        self._places, self._names = dict(places), tuple(places)
        self.checks = checks

    @property
    def names(self) -> tuple[str, ...]:
        """Of all captures, in their order."""
        return self._names

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Capture:
        """The capture `names[index]`.

        Raises:
            UnusableCaptureError: See `recon.data.captures.checks`.
            FormatError: Its file is damaged, or states a camera that is no pinhole with k1, k2, p1, p2.
        """
        name = self._names[index]
        return self._read(name, self._places[name])

    @abstractmethod
    def _read(self, name: str, place: Path) -> Capture:
        """One capture."""


def stated_frames(path: Path, content: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that a JSON file of cameras holds under "frames".

    Raises:
        FormatError: There are none, or more than a capture may have.
    """
    frames = content.get("frames")
    if not (isinstance(frames, list) and frames and all(isinstance(frame, dict) for frame in frames)):
        raise FormatError(f'{path}: "frames" is not a list of objects', hint="expected one object for each picture")
    if len(frames) > PICTURE_LIMITS.max_photographs:
        raise FormatError(f"{path}: {len(frames):,} frames, at most {PICTURE_LIMITS.max_photographs:,} are read")
    return frames
