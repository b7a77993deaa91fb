"""Captures into RealEstate10K chunks."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recon.data.captures.capture import Capture, CaptureSource
from recon.data.captures.checks import reason_of
from recon.data.captures.frame_bytes import jpeg_of
from recon.data.captures.manifest import (
    MANIFEST,
    CaptureRecord,
    Manifest,
    read_manifest,
    record_of_files,
    write_manifest,
)
from recon.data.captures.picture_choice import PictureChoice, read_choice, write_choice
from recon.data.captures.re10k_chunks import INDEX
from recon.data.captures.vector18 import vectors_of_cameras
from recon.errors import InputError
from recon.io.atomic import atomic_write
from recon.io.json_file import write_json

logger = logging.getLogger(__name__)

CHUNK_BYTES = 100_000_000
RECORDS = "records"
"""Folder with the manifest of each finished chunk: it says that the chunk is whole."""


def write_chunks(
    source: CaptureSource, folder: Path, *, chunk_bytes: int = CHUNK_BYTES, choice: PictureChoice | None = None
) -> Manifest:
    """Write all usable captures of a source as `folder/000000.torch`, ..., `index.json` and `manifest.json`.

    Chunks appear whole or not at all, the index last. The same call goes on where a stopped one was: captures of
    finished chunks are not read again, those that were skipped before are tried anew. JPEG files are taken as they are;
    other and distorted pictures become JPEG of quality 95. Depth has no place in this form. Captures without times get
    the numbers of their frames instead. Where frames have no picture, `missing_frames` says their numbers.

    Args:
        source: Its captures are taken in order.
        folder: Of the split; made if absent.
        chunk_bytes: A chunk is closed when its pictures take this much.
        choice: With which pictures the source was opened, where it has a choice; noted beside the chunks.

    Returns:
        What all the chunks hold, and what was skipped.

    Raises:
        InputError: The folder holds chunks of other pictures.
        ExportError: The disk does not take a file.
    """
    (folder / RECORDS).mkdir(parents=True, exist_ok=True)
    finished = _finished(folder)
    if choice is not None and (not finished or read_choice(folder)):  # of chunks that do not say it nothing is claimed
        write_choice(folder, choice)
    before = _joined(finished)
    if finished:
        logger.info("%s: %s; what was skipped is tried anew", folder, before.summary().replace("\n", "; "))
    for chunk in _fill(source, before, chunk_bytes):
        path = folder / f"{len(finished):06d}.torch"
        _write_chunk(path, chunk)
        finished.append(chunk.manifest)
        logger.info("%s: %d captures, %.0f MB", path, len(chunk.entries), chunk.num_bytes / 1e6)
    index = {record.name: f"{number:06d}.torch" for number, part in enumerate(finished) for record in part.captures}
    whole = _joined(finished)
    write_manifest(folder / MANIFEST, whole)
    write_json(folder / INDEX, index)
    return whole


@dataclass
class _Chunk:
    entries: list[dict[str, Any]] = field(default_factory=list)
    records: list[CaptureRecord] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)
    num_bytes: int = 0

    @property
    def manifest(self) -> Manifest:
        return Manifest(tuple(self.records), {reason: tuple(names) for reason, names in self.skipped.items()})


def _fill(source: CaptureSource, before: Manifest, chunk_bytes: int) -> Iterator[_Chunk]:
    """Chunks of what is not done yet; the last may hold nothing but names that are skipped for a new reason."""
    chunk, done = _Chunk(), {record.name for record in before.captures}
    known = {(name, reason) for reason, names in before.skipped.items() for name in names}
    for index, name in enumerate(source.names):
        if name in done:
            continue
        try:
            capture = source[index]
            jpegs = [jpeg_of(capture, frame) for frame in range(len(capture))]
        except InputError as error:
            logger.warning("skipped %s: %s", name, error.message)
            if (name, reason_of(error)) not in known:
                chunk.skipped.setdefault(reason_of(error), []).append(name)
            continue
        chunk.entries.append(_entry(capture, jpegs))
        chunk.records.append(record_of_files(capture, jpegs))
        chunk.num_bytes += sum(map(len, jpegs))
        if chunk.num_bytes >= chunk_bytes:
            yield chunk
            chunk = _Chunk()
    if chunk.entries or chunk.skipped:
        yield chunk


def _entry(capture: Capture, jpegs: list[bytes]) -> dict[str, Any]:
    times = capture.timestamps or tuple(range(len(capture)))
    incomplete = {"missing_frames": list(capture.missing)} if capture.missing else {}
    return {
        "url": capture.url,
        "timestamps": torch.tensor(times, dtype=torch.int64),
        "cameras": vectors_of_cameras(capture.cameras),
        "images": [torch.from_numpy(np.frombuffer(jpeg, np.uint8).copy()) for jpeg in jpegs],
        "key": capture.name,
        **incomplete,
    }


def _write_chunk(path: Path, chunk: _Chunk) -> None:
    if chunk.entries:
        with atomic_write(path) as temporary:
            torch.save(chunk.entries, temporary)
    write_manifest(_record_path(path), chunk.manifest)


def _record_path(path: Path) -> Path:
    return path.parent / RECORDS / f"{path.stem}.json"


def _finished(folder: Path) -> list[Manifest]:
    """Manifests of the chunks 0, 1, ... up to the first that is not whole."""
    found = []
    while (record := _record_path(folder / f"{len(found):06d}.torch")).is_file():
        manifest = read_manifest(record)
        if manifest.captures and not (folder / f"{len(found):06d}.torch").is_file():
            break
        found.append(manifest)
    return found


def _joined(parts: list[Manifest]) -> Manifest:
    """All captures, and the last reason of each that is still skipped."""
    captures = tuple(record for part in parts for record in part.captures)
    reasons = {name: reason for part in parts for reason, names in part.skipped.items() for name in names}
    skipped: dict[str, list[str]] = {}
    for name in reasons.keys() - {record.name for record in captures}:
        skipped.setdefault(reasons[name], []).append(name)
    return Manifest(captures, {reason: tuple(sorted(names)) for reason, names in sorted(skipped.items())})
