"""RealEstate10K as it is published: text files of cameras, and frames that were taken from the videos."""

import logging
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float64
from torch import Tensor

from recon.data.captures.capture import Capture
from recon.data.captures.checks import DEFAULT_CHECKS, CaptureChecks
from recon.data.captures.file_frames import FileFrame, capture_of_files
from recon.data.captures.listed import ListedCaptures
from recon.data.captures.splits import split_folder
from recon.data.captures.vector18 import NUM
from recon.errors import FormatError, InputError
from recon.io.limits import MEBIBYTE
from recon.io.photographs.headers import PictureHeader
from recon.io.photographs.lens import Lens

logger = logging.getLogger(__name__)

MAX_TEXT_BYTES = 64 * MEBIBYTE
SUFFIXES = (".jpg", ".png", ".jpeg")


class Re10kText(ListedCaptures):
    """Captures of `FOLDER/SPLIT/KEY.txt` with pictures `FRAMES/KEY/TIMESTAMP.jpg`.

    A text file is the URL of a video, then for each frame its time in microseconds and the 18 numbers of its camera
    (https://google.github.io/realestate10k/download.html). Frames without a picture are left out, which a
    warning says; the others keep the numbers by which evaluation indexes name them (`Capture.missing`).

    Args:
        folder: Holds the folders of the splits.
        split: "train", "test" or "val"; "val" is read from `test` where it has no folder.
        frames: Folder of the pictures, which may have folders for the splits; None for `FOLDER/frames`.
        checks: What is not used.

    Raises:
        InputError: There is no such folder, or no capture in it.
    """

    def __init__(
        self,
        folder: Path | str,
        split: str = "train",
        *,
        frames: Path | str | None = None,
        checks: CaptureChecks = DEFAULT_CHECKS,
    ):
        self.folder = split_folder(Path(folder), split)
        place = Path(folder) / "frames" if frames is None else Path(frames)
        self.frames = place / self.folder.name if (place / self.folder.name).is_dir() else place
        if not self.frames.is_dir():
            raise InputError(f"{self.frames}: no such folder", hint="name the folder of the pictures as frames")
        texts = {path.stem: path for path in sorted(self.folder.glob("*.txt"), key=lambda path: path.stem)}
        if not texts:
            raise InputError(f"{self.folder}: no capture, that is a file KEY.txt")
        super().__init__(texts, checks)
        self._reported: set[str] = set()

    def _read(self, name: str, place: Path) -> Capture:
        url, times, vectors = read_text(place)
        found = [_find(self.frames / name, time) for time in times]
        kept = [(time, _frame(p, v)) for time, p, v in zip(times, found, vectors, strict=True) if p is not None]
        missing = tuple(number for number, picture in enumerate(found) if picture is None)
        if missing and name not in self._reported:
            self._reported.add(name)
            logger.warning("%s: %d of %d frames have no picture", name, len(missing), len(times))
        frames, timestamps = [frame for _, frame in kept], tuple(time for time, _ in kept)
        capture = capture_of_files(name, str(place), frames, self.checks, timestamps=timestamps, url=url)
        return replace(capture, missing=missing)


def read_text(path: Path) -> tuple[str, list[int], Float64[Tensor, "frames 18"]]:
    """URL, times in microseconds and the 18 numbers of each frame.

    Raises:
        FormatError: It cannot be read, or a line is not of this form; the message says which.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise FormatError(f"{path}: the file cannot be read ({error})") from error
    if len(data) > MAX_TEXT_BYTES:
        raise FormatError(f"{path}: more than {MAX_TEXT_BYTES:,} bytes, expected a list of cameras")
    first, *lines = data.decode("utf-8", errors="replace").splitlines() or [""]
    if len(first.split()) > 1:
        raise FormatError(f"{path}: line 1 is {first[:60]!r}, expected the URL of a video")
    rows = [_row(f"{path}: line {number}", line) for number, line in enumerate(lines, start=2) if line.strip()]
    if not rows:
        raise FormatError(f"{path}: no line with a camera")
    vectors = torch.tensor([values for _, values in rows], dtype=torch.float64)
    return first.strip(), [time for time, _ in rows], vectors


def _row(where: str, line: str) -> tuple[int, list[float]]:
    words = line.split()
    if len(words) != NUM + 1:
        raise FormatError(f"{where} has {len(words)} numbers, expected a time and {NUM} numbers")
    try:
        time, values = int(words[0]), [float(word) for word in words[1:]]
    except ValueError as error:
        raise FormatError(f"{where} is not made of numbers ({str(error)[:80]})") from error
    if not 0 <= time < 1 << 62:
        raise FormatError(f"{where}: the time is {words[0][:30]}, expected microseconds")
    return time, [value if math.isfinite(value) else math.nan for value in values]


def _find(folder: Path, time: int) -> Path | None:
    return next((path for suffix in SUFFIXES if (path := folder / f"{time}{suffix}").is_file()), None)


def _frame(picture: Path, vector: Float64[Tensor, "18"]) -> FileFrame:
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3] = vector[6:].reshape(3, 4)
    return FileFrame(picture, partial(_lens, vector[:4].tolist()), pose, "stored")


def _lens(fractions: list[float], header: PictureHeader) -> Lens:
    width, height = header.stored_size
    fx, fy, cx, cy = fractions
    return Lens((float(width), float(height)), (fx * width, fy * height), (cx * width, cy * height))
