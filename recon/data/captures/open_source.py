"""Opening a data set by its folder."""

from pathlib import Path

from recon.data.captures.capture import CaptureSource
from recon.data.captures.rooms import RoomCaptures


def open_captures(folder: Path | str, format: str = "auto", split: str = "train") -> CaptureSource:
    """Provisional."""
    return RoomCaptures(folder, split)
