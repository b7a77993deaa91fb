"""Results that are files made from a `Scene` alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from recon.io.atomic import atomic_write
from recon.io.names import safe_stem, unique_names
from recon.io.ply import write_ply
from recon.io.transforms_json import write_transforms
from recon.types import Scene

Exporter = Callable[[Scene, Path], list[Path]]


def export_ply(scene: Scene, folder: Path) -> list[Path]:
    """Write `gaussians.ply` for splat viewers."""
    path = folder / "gaussians.ply"
    write_ply(path, scene.gaussians)
    return [path]


def export_transforms(scene: Scene, folder: Path) -> list[Path]:
    """Write `transforms.json` and the views that it describes as `images/*.png`."""
    names = unique_names(f"{safe_stem(name)}.png" for name in scene.views.names)
    pixels = (scene.views.images.detach().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    images = folder / "images"
    images.mkdir(exist_ok=True)
    for name, view in zip(names, pixels, strict=True):
        with atomic_write(images / name) as temporary:
            Image.fromarray(np.ascontiguousarray(view)).save(temporary, format="PNG")
    path = folder / "transforms.json"
    write_transforms(path, scene.cameras, [f"images/{name}" for name in names])
    return [path, *(images / name for name in names)]


# Each writes into an existing folder and returns the files it wrote.
EXPORTERS: dict[str, Exporter] = {"ply": export_ply, "transforms": export_transforms}
