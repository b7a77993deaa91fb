"""Depth maps of the photographs' cameras, rendered from the Gaussians."""

from pathlib import Path

from recon.io.depth_files import write_depth, write_depth_json
from recon.io.names import safe_stem, unique_names
from recon.pipeline.pictures import MIN_ALPHA, colored_depth, depth_range, pictures
from recon.types import Scene

FOLDER = "depth"


def export_depth(scene: Scene, folder: Path) -> list[Path]:
    """Write `depth/NAME.npy`, `depth/NAME.png` for every view, and `depth/depth.json`; see `recon.io.depth_files`."""
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    names = unique_names(safe_stem(name) for name in scene.views.names)
    near, far = depth_range(scene.gaussians, scene.cameras)
    files = []
    for name, picture in zip(names, pictures(scene.gaussians, scene.cameras, depth=True), strict=True):
        if picture.depth is not None:
            files += write_depth(target, name, picture.depth, colored_depth(picture.depth, near, far))
    sidecar = write_depth_json(target / "depth.json", names, near=near, far=far, min_alpha=MIN_ALPHA, unit=scene.unit)
    return [*files, sidecar]
