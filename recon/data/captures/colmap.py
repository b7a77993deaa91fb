"""A folder of COLMAP models with their images."""

from functools import partial
from pathlib import Path

from recon.data.captures.capture import Capture
from recon.data.captures.checks import DEFAULT_CHECKS, IMPOSSIBLE_CAMERA, MISSING_PICTURE, CaptureChecks
from recon.data.captures.file_frames import FileFrame, capture_of_files
from recon.data.captures.listed import ListedCaptures
from recon.data.captures.pictures import PICTURE_LIMITS
from recon.data.captures.scene_folders import scene_folders
from recon.errors import FormatError, GeometryError, InputError, LimitError, UnusableCaptureError
from recon.io.colmap import PosedFile, find_model, posed_files
from recon.io.photographs.headers import PictureHeader
from recon.io.photographs.lens import Lens

EXPECTED = "sparse/0 and images"


class ColmapCaptures(ListedCaptures):
    """Captures with `sparse/0` (or another place that `recon.io.colmap` knows) and `images`.

    Frames are in natural order of their names; the world is that of the model. Distortion is taken out.

    Args:
        folder: See `recon.data.captures.scene_folders`.
        split: "train", "val" or "test".
        checks: What is not used.

    Raises:
        InputError: There is no capture.
        FormatError: Two captures have one name.
    """

    def __init__(self, folder: Path | str, split: str = "train", *, checks: CaptureChecks = DEFAULT_CHECKS):
        super().__init__(scene_folders(Path(folder), split, is_colmap, EXPECTED), checks)

    def _read(self, name: str, place: Path) -> Capture:
        files = _files(place)
        frames = [FileFrame(f.path, partial(_lens, f), f.cam_from_world, describes="stored") for f in files]
        return capture_of_files(name, str(place), frames, self.checks)


def is_colmap(folder: Path) -> bool:
    """Whether the folder itself holds a model."""
    return find_model(folder) is not None


def _files(folder: Path) -> list[PosedFile]:
    try:
        return posed_files(folder, limits=PICTURE_LIMITS)
    except (FormatError, LimitError):
        raise
    except GeometryError as error:
        raise UnusableCaptureError(IMPOSSIBLE_CAMERA, error.message, hint=error.hint) from error
    except InputError as error:
        raise UnusableCaptureError(MISSING_PICTURE, error.message, hint=error.hint) from error


def _lens(file: PosedFile, header: PictureHeader) -> Lens:
    """As the model states it, for a size of its own."""
    return file.lens
