"""From what a person names on the command line to photographs, and poses where they were given."""

from pathlib import Path
from typing import Literal

from recon.errors import InputError
from recon.io.images import load_photographs
from recon.io.transforms_json import load_frames, read_transforms
from recon.types import Photograph, PoseEstimate

Poses = Literal["auto", "given", "sfm"]


def load_source(source: Path, poses: Poses, max_views: int | None) -> tuple[list[Photograph], PoseEstimate | None]:
    """Photographs, and the poses that came with them.

    Args:
        source: A folder of photographs, a folder with `transforms.json`, or such a JSON file.
        poses: "given" wants poses in the source, "sfm" ignores them, "auto" takes them where there are any.
        max_views: Keep at most this many, evenly spread.

    Raises:
        InputError: Nothing there, or "given" without poses.
    """
    try:
        exists, transforms = source.exists(), source if source.suffix == ".json" else source / "transforms.json"
        has_poses = transforms.is_file()
    except OSError as error:
        raise InputError(f"{source} cannot be opened ({error.strerror or error})") from error
    if not exists:
        raise InputError(f"{source} does not exist", hint="name a folder of photographs or a transforms.json")
    if has_poses and poses == "sfm":
        return load_frames(transforms, max_views=max_views), None
    if has_poses:
        return read_transforms(transforms, max_views=max_views)
    if poses == "given":
        raise InputError(f"{source} holds no transforms.json, so no poses are given", hint="use --poses sfm")
    return load_photographs(source, max_views=max_views), None
