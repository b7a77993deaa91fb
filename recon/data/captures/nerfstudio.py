"""DL3DV, and any other folder of captures with a `transforms.json`."""

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from recon.data.captures.capture import Capture, read_missing
from recon.data.captures.checks import DEFAULT_CHECKS, IMPOSSIBLE_CAMERA, MISSING_PICTURE, CaptureChecks
from recon.data.captures.file_frames import FileFrame, capture_of_files
from recon.data.captures.listed import ListedCaptures, stated_frames
from recon.data.captures.picture_choice import PictureChoice
from recon.data.captures.pictures import PICTURE_LIMITS, find_picture
from recon.data.captures.scene_folders import scene_folders
from recon.errors import FormatError, GeometryError, UnusableCaptureError
from recon.io.json_file import read_json
from recon.io.photographs.headers import PictureHeader
from recon.io.photographs.image_folder import IMAGE_SUFFIXES
from recon.io.photographs.lens import Lens
from recon.io.transforms_intrinsics import read_lens
from recon.io.transforms_json import read_pose

logger = logging.getLogger(__name__)

TRANSFORMS = "transforms.json"
PICTURES = "images"
# Where nobody says which pictures: those that the field trains on, before smaller, larger and original ones.
PREFERRED = (4, 8, 2, 1)


class Nerfstudio(ListedCaptures):
    """Captures with `transforms.json` beside `images_4`, `images_8`, `images_2` or `images`.

    Both layouts of DL3DV are read, `HASH/nerfstudio/transforms.json` and `1K/HASH/transforms.json`; the hash is the
    name. Intrinsics are brought to the true size of the pictures, wide or tall; k1, k2, p1, p2 are undistorted, unless
    asked not to. Frames are in the order of the file.

    The world is that of the `transform_matrix` of the file, with its axes and unit; only the axes of the cameras are
    turned, from OpenGL to OpenCV. `applied_transform`, by which nerfstudio turned the world of COLMAP into its own, is
    not undone: it turns the whole world and changes no picture.

    Args:
        folder: See `recon.data.captures.scene_folders`.
        split: "train", "val" or "test".
        downsample: 1, 2, 4 or 8, which reads `images`, `images_2`, `images_4` or `images_8`; None takes the first of
            4, 8, 2, 1 that is there.
        undistort: Whether k1, k2, p1, p2 are taken out of the pictures. Otherwise the pictures stay as they are and the
            coefficients are passed over, as DepthSplat does: its protocol is to be followed so, errors and all.
        checks: What is not used.

    Raises:
        InputError: There is no capture.
        FormatError: Two captures have one name, or `downsample` is another number.
    """

    def __init__(
        self,
        folder: Path | str,
        split: str = "train",
        *,
        downsample: int | None = None,
        undistort: bool = True,
        checks: CaptureChecks = DEFAULT_CHECKS,
    ):
        self.choice = PictureChoice(downsample, undistort)
        super().__init__(scene_folders(Path(folder), split, is_nerfstudio, TRANSFORMS), checks)

    def _read(self, name: str, place: Path) -> Capture:
        path = place / TRANSFORMS
        content = read_json(path, limits=PICTURE_LIMITS)
        stated = _frames(path, content)
        downsample = self.choice.downsample or _downsample(place)
        frames = [_frame(path, content, frame, downsample, self.choice.undistort) for frame in stated]
        times = [time for frame in stated if type(time := frame.get("timestamp")) is int]
        url = content.get("url")
        capture = capture_of_files(
            name,
            str(path),
            frames,
            self.checks,
            timestamps=tuple(times) if len(times) == len(stated) else (),
            url=url if isinstance(url, str) else "",
        )
        return replace(capture, missing=read_missing(str(path), content.get("missing_frames"), len(capture)))


def is_nerfstudio(folder: Path) -> bool:
    """Whether the folder itself holds such a capture."""
    return (folder / TRANSFORMS).is_file()


def _frames(path: Path, content: dict[str, Any]) -> list[dict[str, Any]]:
    frames = stated_frames(path, content)
    for frame in frames:
        if not (isinstance(frame.get("file_path"), str) and frame["file_path"]):
            raise FormatError(f'{path}: a frame has the "file_path" {frame.get("file_path")!r}, expected text')
    return frames


def _downsample(folder: Path) -> int:
    return next((factor for factor in PREFERRED if factor > 1 and (folder / f"{PICTURES}_{factor}").is_dir()), 1)


def _frame(path: Path, content: dict[str, Any], frame: dict[str, Any], downsample: int, undistort: bool) -> FileFrame:
    where = f"{path}: frame {frame['file_path'][:80]}"
    try:
        pose = read_pose(path, frame)
    except GeometryError as error:
        raise UnusableCaptureError(IMPOSSIBLE_CAMERA, error.message, hint=error.hint) from error
    picture = _picture(where, path.parent, frame["file_path"], downsample)
    return FileFrame(picture, partial(_lens, where, content | frame, downsample, undistort), pose)


def _lens(where: str, fields: dict[str, Any], downsample: int, undistort: bool, header: PictureHeader) -> Lens:
    """Where the file does not say for what size, it means the pictures before they were made smaller."""
    width, height = header.original_size
    lens = read_lens(where, fields, (width * downsample, height * downsample))
    return lens if undistort else replace(lens, distortion=(0.0, 0.0, 0.0, 0.0))


def _picture(where: str, folder: Path, name: str, downsample: int) -> Path:
    """The file of a frame among the pictures of the wanted size, whose suffix may be another than the one stated."""
    name = name.removeprefix("./")
    if downsample > 1:
        first, _, rest = name.partition("/")
        if first.split("_")[0] != PICTURES or not rest:
            raise FormatError(
                f"{where}: lies not in {PICTURES}/, so there is no {PICTURES}_{downsample} for it",
                hint="use downsample 1",
            )
        name = f"{PICTURES}_{downsample}/{rest}"
    stem, dot, suffix = name.rpartition(".")
    has_suffix = bool(stem) and f"{dot}{suffix}".lower() in IMAGE_SUFFIXES
    bare = stem if has_suffix else name
    found = find_picture(where, folder, name) or find_picture(where, folder, bare, IMAGE_SUFFIXES)
    if found is None:
        raise UnusableCaptureError(
            MISSING_PICTURE, f"{where}: there is no {name}", hint="fetch the capture again, or use another downsample"
        )
    return found
