"""What a person can choose for a job; never a path."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from app.options import PoseSource, Quality, ReconstructOptions
from app.web.uploads.kinds import Family
from recon.errors import InputError

NEEDED_EXPORT = "ply"
"""Always written: the page shows it."""
EXPORTS = ("ply", "splat", "spz", "glb", "points", "mesh", "mp4", "depth", "transforms", "colmap")
"""Keys of `recon.pipeline.exporters.ALL_EXPORTERS`, which takes more memory to import than the whole page."""


@dataclass(frozen=True)
class JobSettings:
    """Options of `ReconstructOptions` that the page offers.

    Attributes:
        poses: Where the cameras come from.
        quality: How much work it may be.
        mesh: Whether a mesh is made too.
        exports: Further files to write.
        views: Use at most this many photographs, evenly spread; None for all.
        fps: Frames per second taken from a video; None for about 40 in all.
        seed: Of all random choices.
    """

    poses: PoseSource = "auto"
    quality: Quality = "balanced"
    mesh: bool = False
    exports: tuple[str, ...] = ("ply", "spz", "mp4", "depth")
    views: int | None = None
    fps: float | None = None
    seed: int = 0

    @property
    def all_exports(self) -> tuple[str, ...]:
        """The files that are written, each once."""
        return tuple(dict.fromkeys((NEEDED_EXPORT, *self.exports, *(("mesh",) if self.mesh else ()))))

    def to_options(self, source: Path | tuple[Path, ...], out: Path) -> ReconstructOptions:
        """The options of the public call.

        Raises:
            InputError: A value of another type, or without meaning.
        """
        return ReconstructOptions(
            input=source,
            out=out,
            poses=self.poses,
            quality=self.quality,
            export=self.all_exports,
            views=self.views,
            fps=self.fps,
            seed=self.seed,
        )

    def validate(self) -> "JobSettings":
        """Return self, or raise InputError for a value of another type, or without meaning."""
        _require(type(self.mesh) is bool, "mesh", self.mesh, "true or false")
        names = isinstance(self.exports, tuple) and all(isinstance(name, str) for name in self.exports)
        _require(names, "exports", self.exports, "names of files to write")
        _require(self.views is None or type(self.views) is int, "views", self.views, "a whole number")
        is_rate = type(self.fps) in (int, float) and 0 < (self.fps or 0) <= 60
        _require(self.fps is None or is_rate, "fps", self.fps, "more than 0 and at most 60 frames per second")
        options = self.to_options(Path("input"), Path("result"))  # which looks at the rest
        unknown = [name for name in options.export if name not in EXPORTS]
        if unknown:
            raise InputError(f"there are no files {unknown[0]!r} to write", hint=f"choose of {', '.join(EXPORTS)}")
        _require(self.views is None or self.views >= 2, "views", self.views, "at least 2")
        return self

    def require_fit(self, family: Family) -> None:
        """Raise InputError for a setting with which files of that kind can only fail, however long one waits."""
        if family == "image" and self.fps is not None:
            raise InputError(
                f"{self.fps:g} frames per second are asked for, but photographs were uploaded, not a video",
                hint="set the frames per second to 0, which leaves it open, or upload a video",
            )
        if family != "archive" and self.poses == "given":
            raise InputError(
                "the cameras are to be taken from the upload, but only a zip archive can hold them",
                hint="let the cameras be found, or upload a zip archive with the photographs and their cameras",
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"exports": list(self.exports)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "JobSettings":
        """What `to_json` made, or a client sent.

        Raises:
            InputError: A name that is no setting, or a value without meaning.
        """
        unknown = set(content) - {part.name for part in fields(cls)}
        if unknown:
            raise InputError(f"there is no setting {sorted(unknown)[0]!r}")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
        }
        return cls(**values).validate()


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise InputError(f"{name} is {value!r}, expected {expected}")
