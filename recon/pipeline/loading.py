"""From what a person names on the command line to photographs, and poses where they were given."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from recon.errors import InputError
from recon.io.archive import unpacked
from recon.io.colmap import load_colmap_images, model_name, read_colmap
from recon.io.frames.extract import load_video
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.photographs.image_folder import is_image_name, list_images
from recon.io.photographs.images import load_photographs
from recon.io.source_form import Form, form_of, images_below, is_pattern, matches
from recon.io.transforms_json import load_frames, read_transforms
from recon.types import Photograph, PoseEstimate

Poses = Literal["auto", "given", "sfm"]


@dataclass(frozen=True)
class Source:
    """What was found under the name that a person gave.

    Attributes:
        kind: In words, to be said aloud, e.g. "COLMAP model (binary), 40 images".
        photographs: At least one.
        given: The poses that came with them, or None.
        notes: Further facts, ready for JSON.
    """

    kind: str
    photographs: list[Photograph]
    given: PoseEstimate | None = None
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Wishes:
    poses: Poses
    max_views: int | None
    fps: float | None
    limits: Limits


def open_source(
    source: Path | str | Sequence[Path],
    *,
    poses: Poses = "auto",
    max_views: int | None = None,
    fps: float | int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Source:
    """Find out what a source is, and load it.

    Args:
        source: A folder of photographs, a folder with `transforms.json` or a COLMAP model, such a JSON file, a video, a
            zip archive of one of these, an image, several images, or a pattern such as `photos/*.jpg`.
        poses: "given" wants poses in the source, "sfm" ignores them, "auto" takes them where there are any.
        max_views: Keep at most this many photographs, evenly spread.
        fps: Frames per second to take from a video; None for about 40 in all.
        limits: Bounds that are checked before memory is taken.

    Raises:
        InputError: Nothing there, "given" without poses, or `fps` without a video.
        FormatError, LimitError, GeometryError: As the reader of that form.
    """
    wishes = _Wishes(poses, max_views, fps, limits)
    if not isinstance(source, (Path, str)):
        return _without_poses("list of files", list(source), wishes)
    if is_pattern(source):
        return _without_poses(f"pattern {source}", matches(str(source)), wishes)
    return _open(Path(source), form_of(Path(source)), wishes)


def _open(path: Path, form: Form, wishes: _Wishes) -> Source:
    if form is Form.ZIP:
        return _open_zip(path, wishes)
    if form is Form.VIDEO:
        return _open_video(path, wishes)
    if form in (Form.TRANSFORMS, Form.COLMAP):
        return _open_posed(path, form, wishes)
    if form is Form.IMAGE:
        return _without_poses(f"image {path.name}", [path], wishes)
    return _without_poses("folder", list_images(path), wishes)


def _open_zip(path: Path, wishes: _Wishes) -> Source:
    with unpacked(path, limits=wishes.limits) as root:
        form = form_of(root)
        while form is Form.FOLDER and (inner := _only_content(root)):
            root, form = inner, form_of(inner)
        if form is Form.ZIP:
            raise InputError(f"{path}: holds another archive", hint="unpack it first")
        if form is Form.FOLDER:
            found = _without_poses("folder", images_below(root), wishes)
        else:
            found = _open(root, form, wishes)
    return replace(found, kind=f"zip archive {path.name}: {found.kind}")


def _only_content(folder: Path) -> Path | None:
    """What a folder consists of, where that is one file, or one folder with at most notes beside it."""
    entries = list(folder.iterdir())
    folders = [entry for entry in entries if entry.is_dir()]
    if len(entries) == 1:
        return entries[0]
    notes_only = not any(is_image_name(entry.name) for entry in entries)
    return folders[0] if len(folders) == 1 and notes_only else None


def _open_video(path: Path, wishes: _Wishes) -> Source:
    _require_no_poses_wanted(str(path), wishes)
    video = load_video(path, fps=wishes.fps, max_views=wishes.max_views, limits=wishes.limits)
    notes = {
        "video_seconds": video.seconds,
        "video_frames": video.num_frames,
        "video_damaged": video.num_damaged,
        "frame_seconds": list(video.times),
    }
    return Source(f"video {path.name}, {video.words}", video.photographs, None, notes)


def _open_posed(path: Path, form: Form, wishes: _Wishes) -> Source:
    _require_no_fps(form.value, wishes)
    bounds: dict[str, Any] = {"limits": wishes.limits, "max_views": wishes.max_views}
    if form is Form.COLMAP:
        name, ignoring, reading = model_name(path), load_colmap_images, read_colmap
    else:
        path = path / "transforms.json" if path.is_dir() else path
        name, ignoring, reading = path.name, load_frames, read_transforms
    if wishes.poses == "sfm":
        photographs = ignoring(path, **bounds)
        return Source(f"{name} without its poses, {_count(photographs)}", photographs)
    photographs, given = reading(path, **bounds)
    return Source(f"{name}, {_count(photographs)}", photographs, given, {"given_points": len(given.points)})


def _without_poses(kind: str, paths: list[Path], wishes: _Wishes) -> Source:
    _require_no_poses_wanted(kind, wishes)
    _require_no_fps(kind, wishes)
    photographs = load_photographs(paths, limits=wishes.limits, max_views=wishes.max_views)
    chosen = "" if len(photographs) == len(paths) else f" of {len(paths)}, evenly spread"
    return Source(f"{kind}, {_count(photographs)}{chosen}", photographs)


def _require_no_poses_wanted(what: str, wishes: _Wishes) -> None:
    if wishes.poses == "given":
        raise InputError(
            f"{what}: holds no transforms.json and no COLMAP model, so no poses are given", hint="use --poses sfm"
        )


def _require_no_fps(what: str, wishes: _Wishes) -> None:
    if wishes.fps is not None:
        raise InputError(
            f"frames per second were asked for, but the source is no video: {what}", hint="leave --fps out"
        )


def _count(photographs: list[Photograph]) -> str:
    return f"{len(photographs)} image{'' if len(photographs) == 1 else 's'}"
