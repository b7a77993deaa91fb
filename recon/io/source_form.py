"""Which of the forms that are read a path has, told by what is there."""

import glob
from enum import Enum
from pathlib import Path

from recon.errors import FormatError, InputError
from recon.io.archive import is_zip
from recon.io.colmap import find_model
from recon.io.frames.sniff import is_video_name
from recon.io.names import natural_key
from recon.io.photographs.image_folder import is_image_name

PATTERN_CHARACTERS = "*?["


class Form(Enum):
    """A form of input; the value is its name in words."""

    FOLDER = "folder of photographs"
    TRANSFORMS = "transforms.json"
    COLMAP = "COLMAP model"
    IMAGE = "image"
    VIDEO = "video"
    ZIP = "zip archive"


def form_of(path: Path) -> Form:
    """The form of what lies under a path.

    A folder with `transforms.json` is that, before it is a COLMAP model, before it is a folder of photographs.

    Raises:
        InputError: There is nothing.
        FormatError: It is a file of another kind.
    """
    try:
        if path.is_dir():
            return _form_of_folder(path)
        if not path.exists():
            raise InputError(
                f"{path} does not exist",
                hint="name a folder of photographs, a video, a zip archive, a COLMAP model or a transforms.json",
            )
        if not path.is_file():
            raise InputError(f"{path} is neither a file nor a folder")
        return _form_of_file(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be opened ({getattr(error, 'strerror', None) or error})") from error


def is_pattern(source: Path | str) -> bool:
    """Whether this is a pattern of names, and not itself the name of something that exists."""
    try:
        return any(character in str(source) for character in PATTERN_CHARACTERS) and not Path(source).exists()
    except (OSError, ValueError):
        return False


def matches(pattern: str) -> list[Path]:
    """Image files that a pattern matches, in natural order; `**` stands for folders of any depth.

    Raises:
        InputError: It matches no image.
    """
    found = [Path(match) for match in glob.glob(pattern, recursive=True)]
    images = [path for path in found if is_image_name(path.name) and path.is_file()]
    if not images:
        raise InputError(
            f"{pattern}: matches {len(found)} names, none of them an image", hint="put quotes around the pattern"
        )
    return sorted(images, key=lambda path: natural_key(str(path)))


def images_below(folder: Path) -> list[Path]:
    """Image files of a folder and all folders in it, in natural order of their paths; hidden ones are left out.

    Raises:
        InputError: There is none.
    """
    images = [p for p in folder.rglob("*") if is_image_name(p.name) and not _hidden(p.relative_to(folder))]
    if not images:
        raise InputError(f"{folder.name}: holds no image in any folder")
    return sorted((p for p in images if p.is_file()), key=lambda path: natural_key(str(path)))


def _form_of_folder(path: Path) -> Form:
    if (path / "transforms.json").is_file():
        return Form.TRANSFORMS
    return Form.COLMAP if find_model(path) else Form.FOLDER


def _form_of_file(path: Path) -> Form:
    if path.suffix.lower() == ".json":
        return Form.TRANSFORMS
    if is_image_name(path.name):
        return Form.IMAGE
    if is_video_name(path.name):
        return Form.VIDEO
    if is_zip(path):
        return Form.ZIP
    raise FormatError(
        f"{path}: neither an image, a video, a zip archive nor a transforms.json",
        hint="for a COLMAP model name its folder",
    )


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
