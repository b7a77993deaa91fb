"""`scene.json`: what a result is, how it was made, and the conventions its numbers follow."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor

from recon.errors import FormatError
from recon.io.json_file import read_json, write_json
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.types import Cameras, Provenance, Scene

FORMAT = "recon scene"
VERSION = 1
CONVENTIONS = (
    "cam_from_world: world to camera, OpenCV axes (x right, y down, z forward). K: pixels, the centre of the first "
    "pixel is (0.5, 0.5). Sizes: width, height. crop_from_original: maps pixels of the upright, undistorted original "
    "to pixels of the view. unit: 'given' is the scale of the given poses, and their frame unless report.frame tells a "
    "turn. null: not known."
)
Unit = Literal["given", "metre", "arbitrary"]


@dataclass(frozen=True)
class SceneRecord:
    """The content of a `scene.json`.

    Attributes:
        cameras: Of the views.
        names: File names of the photographs, one for each camera.
        original_size: Width and height of each upright photograph.
        crop_from_original: Maps original pixels to pixels of the view.
        provenance: How the scene was made.
        unit: See `Scene`.
        up: World direction that is up, if known.
        report: Measured facts.
        files: Size in bytes of every file of the result, by its relative path.
    """

    cameras: Cameras
    names: tuple[str, ...]
    original_size: Int[Tensor, "views 2"]
    crop_from_original: Float[Tensor, "views 3 3"]
    provenance: Provenance
    unit: Unit
    up: tuple[float, float, float] | None
    report: dict[str, Any]
    files: dict[str, int]


def write_scene_json(path: Path, scene: Scene, files: dict[str, int]) -> None:
    """Write provenance, cameras and report of a scene; non-finite numbers become null.

    Args:
        path: The JSON file.
        scene: A finished scene.
        files: Size in bytes of every file of the result, by its path relative to the folder of `path`.

    Raises:
        ExportError: The file cannot be written.
    """
    cameras, views = scene.cameras.validate(), scene.views
    fields = zip(
        *(views.names, cameras.size, cameras.K, cameras.cam_from_world),
        *(views.original_size, views.crop_from_original),
        strict=True,
    )
    content = {
        "format": FORMAT,
        "version": VERSION,
        "conventions": CONVENTIONS,
        "unit": scene.unit,
        "up": scene.up,
        "provenance": asdict(scene.provenance),
        "report": scene.report,
        "gaussians": {"count": len(scene.gaussians), "sh_degree": scene.gaussians.sh_degree},
        "files": files,
        "views": [
            {
                "name": name,
                "w": int(size[0]),
                "h": int(size[1]),
                "K": K,
                "cam_from_world": cam_from_world,
                "original_size": original_size,
                "crop_from_original": crop_from_original,
            }
            for name, size, K, cam_from_world, original_size, crop_from_original in fields
        ],
    }
    write_json(path, content)


def read_scene_json(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> SceneRecord:
    """Read what `write_scene_json` wrote.

    Raises:
        InputError: The file cannot be read.
        FormatError: A field is missing or of another type.
        GeometryError: A camera is not one.
        LimitError: The file is larger than `limits.max_json_bytes`.
    """
    content = read_json(path, limits=limits)
    if content.get("format") != FORMAT or content.get("version") != VERSION:
        raise FormatError(
            f"{path}: format {content.get('format')!r} version {content.get('version')!r}, "
            f"expected {FORMAT!r} version {VERSION}",
            hint="the file was written by another program or version",
        )
    try:
        return _record(content)
    except (KeyError, TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise FormatError(f"{path}: a field is missing or of another type ({error!r})") from error


def _record(content: dict[str, Any]) -> SceneRecord:
    views, unit, up = content["views"], content["unit"], content["up"]
    if unit not in get_args(Unit):
        raise ValueError(f"unit is {unit!r}, expected one of {get_args(Unit)}")
    if up is not None:
        up = _tensor(up, (3,)).tolist()
    num = len(views)
    cameras = Cameras(
        cam_from_world=_tensor([view["cam_from_world"] for view in views], (num, 4, 4)),
        K=_tensor([view["K"] for view in views], (num, 3, 3)),
        size=_tensor([[view["w"], view["h"]] for view in views], (num, 2)).long(),
    )
    return SceneRecord(
        cameras=cameras.validate(),
        names=tuple(_typed(view["name"], str) for view in views),
        original_size=_tensor([view["original_size"] for view in views], (num, 2)).long(),
        crop_from_original=_tensor([view["crop_from_original"] for view in views], (num, 3, 3)),
        provenance=_provenance(content["provenance"]),
        unit=unit,
        up=None if up is None else (up[0], up[1], up[2]),
        report=_typed(content["report"], dict),
        files={name: _typed(size, int) for name, size in _typed(content["files"], dict).items()},
    )


def _provenance(fields: Any) -> Provenance:
    texts = {name: _typed(fields[name], str) for name in ("model", "weights_sha256", "pose_source")}
    return Provenance(
        **texts,
        config=_typed(fields["config"], dict),
        versions=_typed(fields["versions"], dict),
        seed=_typed(fields["seed"], int),
    )


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _tensor(rows: Any, shape: tuple[int, ...]) -> Tensor:
    tensor = torch.tensor(rows, dtype=torch.float32).reshape(-1, *shape[1:]) if rows else torch.zeros(shape)
    if tensor.shape != shape or not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"numbers of shape {tuple(tensor.shape)}, expected finite ones of shape {shape}")
    return tensor
