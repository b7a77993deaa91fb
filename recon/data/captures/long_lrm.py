"""Captures as Long-LRM and LVSM prepare them: one JSON file of OpenCV cameras for each."""

from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from recon.data.captures.capture import Capture
from recon.data.captures.checks import DEFAULT_CHECKS, MISSING_PICTURE, CaptureChecks
from recon.data.captures.file_frames import FileFrame, capture_of_files
from recon.data.captures.listed import ListedCaptures, stated_frames
from recon.data.captures.pictures import PICTURE_LIMITS, find_picture
from recon.data.captures.scene_folders import read_lines, scene_folders
from recon.errors import FormatError, InputError, UnusableCaptureError
from recon.io.json_file import read_json
from recon.io.photographs.headers import PictureHeader
from recon.io.photographs.lens import Lens

CAMERAS = "opencv_cameras.json"
LIST = "full_list.txt"
LONGEST_TAIL = 4


class OpencvJson(ListedCaptures):
    """Captures whose JSON holds, for each frame, a picture, `w2c` (4x4, OpenCV axes) and a pinhole in pixels.

    Two forms: Long-LRM's `opencv_cameras.json` in the folder of the capture, with `file_path`, `h`, `w`, `fx`, `fy`,
    `cx`, `cy`; and LVSM's files that `full_list.txt` names, with `image_path` and `fxfycxcy`. Where there is a
    `full_list.txt`, in the folder of the split or else in the folder, it says the captures. Absolute paths in it, and
    in LVSM's files, are those of the machine that wrote them: their ends are looked for below the folder of the list.

    Args:
        folder: See `recon.data.captures.scene_folders`.
        split: "train", "val" or "test".
        checks: What is not used.

    Raises:
        InputError: There is no capture.
        FormatError: Two captures have one name, or the list names files that are not there.
    """

    def __init__(self, folder: Path | str, split: str = "train", *, checks: CaptureChecks = DEFAULT_CHECKS):
        found = find_list(Path(folder), split)
        self._root = None if found is None else found.parent
        if found is not None:
            files = _listed_files(found)
        else:
            folders = scene_folders(Path(folder), split, is_long_lrm, CAMERAS)
            files = {name: place / CAMERAS for name, place in folders.items()}
        super().__init__(files, checks)

    def _read(self, name: str, place: Path) -> Capture:
        stated = stated_frames(place, read_json(place, limits=PICTURE_LIMITS))
        places = [place.parent] if self._root is None else [place.parent, self._root]
        frames = [_frame(f"{place}: frame {i}", places, frame) for i, frame in enumerate(stated)]
        return capture_of_files(name, str(place), frames, self.checks)


def is_long_lrm(folder: Path) -> bool:
    """Whether the folder itself holds such a capture."""
    return (folder / CAMERAS).is_file()


def find_list(root: Path, split: str) -> Path | None:
    """`full_list.txt` of a split ("val": else that of "test"), else of the whole folder; None if there is none."""
    names = (split, "test") if split == "val" else (split,)
    places = [*(root / name / LIST for name in names), root / LIST]
    return next((place for place in places if place.is_file()), None)


def _listed_files(path: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for line in read_lines(path):
        file = _find(str(path), [path.parent], line)
        if file is None:
            raise FormatError(f"{path}: names {line[:120]!r}, which is not there, nor below {path.parent}")
        name = file.parent.name if file.name == CAMERAS else file.stem
        if name in files:
            raise FormatError(f"{path}: {files[name]} and {file} are both named {name!r}")
        files[name] = file
    if not files:
        raise InputError(f"{path}: names no capture")
    return files


def _find(where: str, places: list[Path], name: str) -> Path | None:
    """A file by its path below one of the places, or by the end of it where the path is absolute."""
    parts = PurePosixPath(name).parts
    if not PurePosixPath(name).is_absolute():
        tails = [name]
    else:
        tails = ["/".join(parts[-num:]) for num in range(min(LONGEST_TAIL, len(parts) - 1), 0, -1)]
    found = (find_picture(where, place, tail) for tail in tails for place in places)
    return next((path for path in found if path is not None), None)


def _frame(where: str, places: list[Path], frame: dict[str, Any]) -> FileFrame:
    name = frame.get("file_path", frame.get("image_path"))
    if not (isinstance(name, str) and name):
        raise FormatError(f"{where}: file_path or image_path is {name!r}, expected text")
    path = _find(where, places, name)
    if path is None:
        raise UnusableCaptureError(MISSING_PICTURE, f"{where}: there is no {name[:120]}")
    return FileFrame(path, partial(_lens, where, frame), _pose(where, frame), describes="stored")


def _pose(where: str, frame: dict[str, Any]) -> Float64[Tensor, "4 4"]:
    try:
        pose = torch.tensor(frame.get("w2c"), dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise FormatError(f"{where}: w2c is not made of numbers ({error})") from error
    if pose.shape != (4, 4):
        raise FormatError(f"{where}: w2c has shape {tuple(pose.shape)}, expected 4x4")
    return pose


def _lens(where: str, frame: dict[str, Any], header: PictureHeader) -> Lens:
    width, height = header.stored_size
    values = frame["fxfycxcy"] if "fxfycxcy" in frame else [frame.get(name) for name in ("fx", "fy", "cx", "cy")]
    size = [frame.get("w", width), frame.get("h", height)]
    if not (isinstance(values, list) and len(values) == 4 and all(map(_is_number, [*values, *size]))):
        raise FormatError(f"{where}: the pinhole is {str(values)[:80]} of {size}, expected fx, fy, cx, cy and w, h")
    fx, fy, cx, cy = (float(value) for value in values if value is not None)
    return Lens((float(size[0]), float(size[1])), (fx, fy), (cx, cy))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9
