"""Captures into folders that people and other programs can open."""

import logging
from pathlib import Path
from typing import Any

from recon.data.captures.capture import Capture, CaptureSource
from recon.data.captures.checks import reason_of
from recon.data.captures.frame_bytes import jpeg_of
from recon.data.captures.manifest import MANIFEST, Manifest, record_of_files, write_manifest
from recon.data.captures.nerfstudio import PICTURES, TRANSFORMS
from recon.errors import InputError, UnusableCaptureError
from recon.io.atomic import staged_folder
from recon.io.names import path_parts
from recon.io.transforms_json import write_transforms

logger = logging.getLogger(__name__)


def write_folders(source: CaptureSource, folder: Path) -> Manifest:
    """Write each usable capture as `folder/NAME/transforms.json` and `folder/NAME/images/frame_00000.jpg`, ...

    A capture appears whole or not at all; the same call goes on where a stopped one was. JPEG files are taken as they
    are, as in `write_chunks`. Times and URL stand in `transforms.json` as `timestamp` and `url`, where there are any.

    Args:
        source: Its captures are taken in order.
        folder: Of the split; made if absent.

    Returns:
        What was written and what was skipped, also in `folder/manifest.json`.

    Raises:
        ExportError: The disk does not take a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    records, skipped = [], {}
    for index, name in enumerate(source.names):
        try:
            capture = source[index]
            out = _folder_of(capture, folder)
            jpegs = [jpeg_of(capture, frame) for frame in range(len(capture))]
        except InputError as error:
            logger.warning("skipped %s: %s", name, error.message)
            skipped.setdefault(reason_of(error), []).append(name)
            continue
        _write(capture, jpegs, out)
        records.append(record_of_files(capture, jpegs))
    manifest = Manifest(tuple(records), {reason: tuple(names) for reason, names in skipped.items()})
    write_manifest(folder / MANIFEST, manifest)
    return manifest


def _folder_of(capture: Capture, folder: Path) -> Path:
    try:
        return folder.joinpath(*path_parts(capture.name))
    except ValueError as error:
        message = f"the name {capture.name!r} of a capture cannot be that of a folder: {error}"
        raise UnusableCaptureError("name that no folder can have", message) from error


def _write(capture: Capture, jpegs: list[bytes], out: Path) -> None:
    if (out / TRANSFORMS).is_file():
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    names = [f"{PICTURES}/frame_{i:05d}.jpg" for i in range(len(capture))]
    times = [{"timestamp": time} for time in capture.timestamps] or [{} for _ in names]
    with staged_folder(out, overwrite=True) as staging:
        (staging / PICTURES).mkdir()
        for name, jpeg in zip(names, jpegs, strict=True):
            (staging / name).write_bytes(jpeg)
        fields: dict[str, Any] = {"url": capture.url} if capture.url else {}
        if capture.missing:
            fields["missing_frames"] = list(capture.missing)
        write_transforms(staging / TRANSFORMS, capture.cameras, names, fields=fields, frame_fields=times)
    logger.info("%s: %d frames", out, len(capture))
