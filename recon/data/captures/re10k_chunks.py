"""RealEstate10K, DL3DV and ACID as the field packs them: `.torch` chunks and an `index.json`."""

import logging
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from recon.data.captures.capture import Capture
from recon.data.captures.checks import DEFAULT_CHECKS, CaptureChecks, check_cameras
from recon.data.captures.chunk_file import ChunkCache, ChunkEntry
from recon.data.captures.picture_choice import PictureChoice, check_choice, read_choice
from recon.data.captures.pictures import decode_pixels, header_of
from recon.data.captures.splits import split_folder
from recon.data.captures.vector18 import cameras_of_vectors
from recon.errors import FormatError
from recon.io.json_file import read_json
from recon.io.photographs.headers import PictureHeader

logger = logging.getLogger(__name__)

INDEX = "index.json"


class Re10kChunks:
    """Captures of `FOLDER/SPLIT/*.torch`.

    A capture is opened without reading the rest of its chunk. Opening a chunk costs time for each of its pictures, so
    visit captures of one chunk one after the other: `names` is in order of the chunks, and `groups` says which belong
    together. The world is that of the poses in the file, whatever its unit.

    Args:
        folder: Holds the folders of the splits.
        split: "train", "test" or "val"; "val" is read from `test` where it has no folder.
        checks: What is not used.
        missing_chunks: "error" wants every chunk of the index; "skip" leaves out, with a warning, what was not fetched.
        max_open: Chunks that stay open.
        downsample, undistort: Of which pictures of DL3DV the chunks must be made (`recon.data.captures.nerfstudio`);
            the default takes any.

    Raises:
        InputError: There is no such folder, or no index in it, or the chunks are made of other pictures.
        FormatError: The index is not one, or names a chunk that is not there.
    """

    def __init__(
        self,
        folder: Path | str,
        split: str = "train",
        *,
        checks: CaptureChecks = DEFAULT_CHECKS,
        missing_chunks: Literal["error", "skip"] = "error",
        max_open: int = 8,
        downsample: int | None = None,
        undistort: bool = True,
    ):
        self.folder = split_folder(Path(folder), split)
        check_choice(self.folder, PictureChoice(downsample, undistort))
        self.choice = read_choice(self.folder)
        self.checks = checks
        index = read_index(self.folder)
        present = {entry.name for entry in self.folder.iterdir()}
        missing = sorted(set(index.values()) - present)
        if missing:
            _report_missing_chunks(self.folder, index, missing, missing_chunks)
            index = {key: chunk for key, chunk in index.items() if chunk in present}
        self._chunk_of = dict(sorted(index.items(), key=lambda item: item[1]))
        self._names = tuple(self._chunk_of)
        self._cache = ChunkCache(max_open)

    @property
    def names(self) -> tuple[str, ...]:
        """Keys, in order of the chunks and, in each, of the index."""
        return self._names

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the captures of each chunk."""
        found: dict[str, list[int]] = {}
        for number, name in enumerate(self._names):
            found.setdefault(self._chunk_of[name], []).append(number)
        return tuple(tuple(numbers) for numbers in found.values())

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Capture:
        """The capture `names[index]`.

        Raises:
            UnusableCaptureError: See `recon.data.captures.checks`.
            FormatError: The chunk or the capture in it is damaged, or it does not hold the capture.
        """
        name = self._names[index]
        path = self.folder / self._chunk_of[name]
        chunk = self._cache.open(path)
        if name not in chunk:
            damaged = f"; {chunk.nameless[0]}" if chunk.nameless else ""
            raise FormatError(
                f"{path}: does not hold {name!r}, which {INDEX} places in it{damaged}",
                hint=f"it holds {len(chunk)} others; "
                + ("fetch it again" if damaged else f"{INDEX} belongs to other chunks"),
            )
        return _capture(path, chunk[name], self.checks)


def read_index(folder: Path) -> dict[str, str]:
    """File name of the chunk of each key, in the order of `index.json`.

    Raises:
        InputError: There is none.
        FormatError: It is not an object of file names.
    """
    index = read_json(folder / INDEX)
    for key, chunk in index.items():
        if not (isinstance(chunk, str) and chunk and Path(chunk).name == chunk):
            raise FormatError(
                f"{folder / INDEX}: {key[:40]!r} lies in {chunk!r}, expected the name of a file beside it"
            )
    if not index:
        raise FormatError(f"{folder / INDEX}: names no capture")
    return index


def _report_missing_chunks(folder: Path, index: dict[str, str], missing: list[str], wish: str) -> None:
    lost = sum(chunk in set(missing) for chunk in index.values())
    found = f"{folder}: {len(missing)} chunks of {INDEX} are missing, with {lost} of {len(index)} captures"
    shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
    if wish == "skip" and lost < len(index):
        logger.warning("%s: %s", found, shown)
        return
    raise FormatError(
        f"{found}: {shown}",
        hint="fetch them, or use what is there: recon train --data.read.missing_chunks skip, recon eval "
        "--read.missing_chunks skip, scripts/prepare_re10k --read.missing_chunks skip",
    )


def _capture(path: Path, entry: ChunkEntry, checks: CaptureChecks) -> Capture:
    where = f"{path}: {entry.key}"
    headers = [header_of(image.numpy(), _place(path, entry, i)) for i, image in enumerate(entry.images)]
    cameras = cameras_of_vectors(where, entry.cameras, headers)
    return Capture(
        name=entry.key,
        cameras=check_cameras(where, cameras, checks),
        picture=partial(_picture, path, entry, headers),
        encoded=partial(_bytes, entry) if all(header.orientation == 1 for header in headers) else None,
        timestamps=() if entry.timestamps is None else tuple(entry.timestamps.tolist()),
        url=entry.url,
        missing=entry.missing,
    )


def _bytes(entry: ChunkEntry, index: int) -> bytes:
    return entry.images[index].numpy().tobytes()


def _place(path: Path, entry: ChunkEntry, index: int) -> Path:
    return path / entry.key / f"frame {index}"


def _picture(
    path: Path, entry: ChunkEntry, headers: list[PictureHeader], index: int
) -> UInt8[np.ndarray, "height width 3"]:
    return decode_pixels(_bytes(entry, index), _place(path, entry, index), headers[index])
