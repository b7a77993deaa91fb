"""A finished result read back: a result folder, or a bare file of Gaussians."""

from dataclasses import dataclass
from pathlib import Path

from recon.errors import FormatError, InputError
from recon.geometry.similarity import transform_gaussians
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.scene_json import SceneRecord, read_scene_json
from recon.io.splats.files import gaussians_in, read_gaussians
from recon.io.standing import STANDING_SUFFIXES, standing_from_world
from recon.types import Cameras, Gaussians

SCENE_JSON = "scene.json"


@dataclass(frozen=True)
class SavedScene:
    """What can be looked at.

    Attributes:
        gaussians_path: The file that they were read from.
        gaussians: The appearance.
        record: What `scene.json` tells; None for a bare file.
    """

    gaussians_path: Path
    gaussians: Gaussians
    record: SceneRecord | None

    @property
    def name(self) -> str:
        """For people: the name of the folder, or of the bare file."""
        return (self.gaussians_path if self.record is None else self.gaussians_path.resolve().parent).name

    @property
    def cameras(self) -> Cameras | None:
        """Of the photographs, if known."""
        return None if self.record is None or not len(self.record.cameras) else self.record.cameras

    @property
    def up(self) -> tuple[float, float, float] | None:
        """World direction that is up, if known."""
        return None if self.record is None else self.record.up


def load_scene(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> SavedScene:
    """Read a result folder (`scene.json` and `gaussians.ply`, or another format), or a file of Gaussians alone.

    Raises:
        InputError: There is nothing of that kind at `path`.
        FormatError, GeometryError, LimitError: As `read_scene_json` and `read_gaussians` raise them.
    """
    if path.name == SCENE_JSON and path.is_file():
        path = path.parent
    if not path.is_dir():
        if not path.exists():
            raise InputError(f"{path} does not exist", hint="name a result folder, or a file of Gaussians")
        return SavedScene(path, read_gaussians(path, limits=limits), None)
    if not (path / SCENE_JSON).is_file():
        raise InputError(
            f"{path} holds no {SCENE_JSON}", hint="name a folder that `recon reconstruct` wrote, or a file of Gaussians"
        )
    record = read_scene_json(path / SCENE_JSON, limits=limits)
    gaussians_path = gaussians_in(path)
    size = gaussians_path.stat().st_size
    if record.files.get(gaussians_path.name, size) != size:
        raise FormatError(
            f"{gaussians_path} has {size:,} bytes, {SCENE_JSON} says {record.files[gaussians_path.name]:,}",
            hint="the file was replaced or cut off; reconstruct again, or name the file alone",
        )
    gaussians = read_gaussians(gaussians_path, limits=limits)
    if record.up is not None and gaussians_path.suffix in STANDING_SUFFIXES:
        gaussians = transform_gaussians(gaussians, standing_from_world(record.up).inverse())
    return SavedScene(gaussians_path, gaussians, record)
