"""From what a person names on the command line to photographs, and poses where they were given."""

from pathlib import Path
from typing import Literal

from recon.errors import InputError
from recon.io.images import load_photographs
from recon.io.transforms_json import read_transforms
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
    if not source.exists():
        raise InputError(f"{source} does not exist", hint="name a folder of photographs or a transforms.json")
    transforms = source if source.suffix == ".json" else source / "transforms.json"
    if transforms.is_file():
        photographs, pose = read_transforms(transforms, max_views=max_views)
        return photographs, None if poses == "sfm" else pose
    if poses == "given":
        raise InputError(f"{source} holds no transforms.json, so no poses are given", hint="use --poses sfm")
    return load_photographs(source, max_views=max_views), None
