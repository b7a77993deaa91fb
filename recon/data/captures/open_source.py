"""Opening a data set by its folder."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, NamedTuple

from recon.data.captures.capture import CaptureSource
from recon.data.captures.checks import DEFAULT_CHECKS, CaptureChecks
from recon.data.captures.colmap import ColmapCaptures, is_colmap
from recon.data.captures.long_lrm import OpencvJson, find_list, is_long_lrm
from recon.data.captures.nerfstudio import Nerfstudio, is_nerfstudio
from recon.data.captures.re10k_chunks import INDEX, Re10kChunks
from recon.data.captures.re10k_text import Re10kText
from recon.data.captures.rooms import RoomCaptures
from recon.data.captures.scene_folders import SPLITS, has_scene
from recon.data.room_scenes import SUFFIX
from recon.errors import InputError

logger = logging.getLogger(__name__)

CaptureFormat = Literal["auto", "re10k_chunks", "rooms", "long_lrm", "nerfstudio", "colmap", "re10k_text"]


@dataclass(frozen=True)
class ReadOptions:
    """How a data set is read; an option that its format does not have must be left as it is.

    Attributes:
        checks: Which captures are not used.
        downsample: nerfstudio: 1, 2, 4 or 8, which pictures are read; None takes the first of 4, 8, 2, 1 that is there.
        undistort: nerfstudio: False leaves pictures as they are and passes over k1, k2, p1, p2, as DepthSplat does.
            re10k_chunks: these two are checked against what the chunks were made with.
        frames: re10k_text: folder of the pictures; None for `frames` in the data set.
        missing_chunks: re10k_chunks: "skip" uses what was fetched of a data set whose index names more.
        max_open: re10k_chunks: chunks that stay open.
    """

    checks: CaptureChecks = DEFAULT_CHECKS
    downsample: int | None = None
    undistort: bool = True
    frames: str | None = None
    missing_chunks: Literal["error", "skip"] = "error"
    max_open: int = 8


DEFAULT_OPTIONS = ReadOptions()


class _Format(NamedTuple):
    """How a format is told, in words and by looking; its reader; and the options that it has besides `checks`."""

    expected: str
    is_there: Callable[[Path], bool]
    reader: Callable[..., CaptureSource]
    options: tuple[str, ...] = ()


def open_captures(
    folder: Path | str,
    format: CaptureFormat | str = "auto",
    split: str = "train",
    options: ReadOptions = DEFAULT_OPTIONS,
) -> CaptureSource:
    """The captures of a split; the format is said aloud.

    Args:
        folder: The data set.
        format: A key of `FORMATS`, or "auto", which takes the first of them that is found there.
        split: "train", "val" or "test".
        options: How it is read.

    Raises:
        InputError: There is no such folder, format or split, nothing that is known was found, or an option does not
            belong to the format.
        FormatError: What names the captures is damaged.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder", hint="name the folder of the data set")
    name = _detect(root) if format == "auto" else format
    if name not in FORMATS:
        raise InputError(f"the format {name!r} is not known", hint=f"known are auto, {', '.join(FORMATS)}")
    chosen = FORMATS[name]
    given = {f.name: getattr(options, f.name) for f in fields(ReadOptions) if f.name != "checks"}
    foreign = [
        key for key, value in given.items() if value != getattr(DEFAULT_OPTIONS, key) and key not in chosen.options
    ]
    if foreign:
        defaults = ", ".join(f"{key} {json.dumps(getattr(DEFAULT_OPTIONS, key))}" for key in foreign)
        raise InputError(
            f"{root}: the option {foreign[0]} does not belong to the format {name}",
            hint=f"a preset may have set it; the format takes {defaults}",
        )
    wanted = {key: given[key] for key in chosen.options}
    try:
        source = chosen.reader(root, split, checks=options.checks, **wanted)
    except InputError as error:
        if format != "auto" and not chosen.is_there(root) and (there := _found(root)) is not None:
            error.hint = f"the folder holds {FORMATS[there].expected}: the format is {there}, or auto"
        raise
    logger.info("%s: %s, %s, %d captures", root, name, split, len(source))
    return source


def _detect(root: Path) -> str:
    found = _found(root)
    if found is None:
        looked_for = "; ".join(f"{form.expected} ({name})" for name, form in FORMATS.items())
        raise InputError(f"{root}: no data set of a known form", hint=f"looked for {looked_for}")
    return found


def _found(root: Path) -> str | None:
    return next((name for name, form in FORMATS.items() if form.is_there(root)), None)


def _in_split(pattern: str, root: Path) -> bool:
    return any(next((root / split).glob(pattern), None) is not None for split in SPLITS)


FORMATS: dict[str, _Format] = {
    "re10k_chunks": _Format(
        "SPLIT/index.json and SPLIT/*.torch",
        lambda root: _in_split(INDEX, root) and _in_split("*.torch", root),
        Re10kChunks,
        ("missing_chunks", "max_open", "downsample", "undistort"),
    ),
    "rooms": _Format(f"SPLIT/*{SUFFIX}", lambda root: _in_split(f"*{SUFFIX}", root), RoomCaptures),
    "long_lrm": _Format(
        "CAPTURE/opencv_cameras.json, or full_list.txt",
        lambda root: any(find_list(root, split) for split in SPLITS) or has_scene(root, is_long_lrm),
        OpencvJson,
    ),
    "nerfstudio": _Format(
        "CAPTURE/transforms.json", lambda root: has_scene(root, is_nerfstudio), Nerfstudio, ("downsample", "undistort")
    ),
    "colmap": _Format("CAPTURE/sparse/0", lambda root: has_scene(root, is_colmap), ColmapCaptures),
    "re10k_text": _Format("SPLIT/KEY.txt", lambda root: _in_split("*.txt", root), Re10kText, ("frames",)),
}
"""By name, in the order in which they are looked for."""
