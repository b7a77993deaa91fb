"""Results that are files made from a `Scene` alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from recon.geometry.similarity import transform_gaussians
from recon.io.atomic import atomic_write
from recon.io.colmap import model_of_cameras, write_model
from recon.io.names import safe_stem, unique_names
from recon.io.points_ply import opaque_centres, write_points_ply
from recon.io.splats.glb import write_gaussian_glb
from recon.io.splats.ply import write_ply
from recon.io.splats.splat import write_splat
from recon.io.splats.spz import write_spz
from recon.io.standing import standing_from_world
from recon.io.transforms_json import write_transforms
from recon.types import Cameras, Gaussians, Scene

Exporter = Callable[[Scene, Path], list[Path]]

MAX_COLMAP_POINTS = 100_000


def export_ply(scene: Scene, folder: Path) -> list[Path]:
    """Write `gaussians.ply` for splat viewers."""
    path = folder / "gaussians.ply"
    write_ply(path, scene.gaussians)
    return [path]


def export_splat(scene: Scene, folder: Path) -> list[Path]:
    """Write `gaussians.splat` for web viewers; view-dependent colour is lost."""
    path = folder / "gaussians.splat"
    write_splat(path, scene.gaussians)
    return [path]


def export_spz(scene: Scene, folder: Path) -> list[Path]:
    """Write `gaussians.spz`, a compressed file, its up direction +y; all values are quantised."""
    path = folder / "gaussians.spz"
    write_spz(path, _stood_up(scene))
    return [path]


def export_glb(scene: Scene, folder: Path) -> list[Path]:
    """Write `gaussians.glb`, glTF with KHR_gaussian_splatting, its up direction +y."""
    path = folder / "gaussians.glb"
    write_gaussian_glb(path, _stood_up(scene))
    return [path]


def export_points(scene: Scene, folder: Path) -> list[Path]:
    """Write `points.ply`: centres and colours of the Gaussians of more than half opacity."""
    path = folder / "points.ply"
    write_points_ply(path, *opaque_centres(scene.gaussians))
    return [path]


def export_transforms(scene: Scene, folder: Path) -> list[Path]:
    """Write `transforms.json` and the views that it describes as `images/*.png`, without the canvas around them."""
    cameras, names, images = _write_images(scene, folder)
    path = folder / "transforms.json"
    write_transforms(path, cameras, [f"images/{name}" for name in names])
    return [path, *images]


def export_colmap(scene: Scene, folder: Path) -> list[Path]:
    """Write a COLMAP model `sparse/0/*.bin` and the views that it describes as `images/*.png`.

    Its points are centres and colours of opaque Gaussians, at most MAX_COLMAP_POINTS, without the images that see them:
    enough to start 3D Gaussian splatting from.
    """
    cameras, names, images = _write_images(scene, folder)
    points, colors = opaque_centres(scene.gaussians)
    every = max(1, -(-len(points) // MAX_COLMAP_POINTS))
    model = folder / "sparse" / "0"
    model.mkdir(parents=True, exist_ok=True)
    return [
        *write_model(model, model_of_cameras(cameras, names, points[::every], (colors[::every] * 255).round().byte())),
        *images,
    ]


def _stood_up(scene: Scene) -> Gaussians:
    return scene.gaussians if scene.up is None else transform_gaussians(scene.gaussians, standing_from_world(scene.up))


def _write_images(scene: Scene, folder: Path) -> tuple[Cameras, list[str], list[Path]]:
    """The views without the canvas around them: their cameras, names, and files in `images/`."""
    names = unique_names(f"{safe_stem(name)}.png" for name in scene.views.names)
    pixels = (scene.views.images.detach().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    images = folder / "images"
    images.mkdir(exist_ok=True)
    K, size, bounds = scene.cameras.K.clone(), scene.cameras.size.clone(), scene.views.bounds().tolist()
    for i, name in enumerate(names):
        left, upper, right, lower = bounds[i]
        K[i, 0, 2] -= left
        K[i, 1, 2] -= upper
        size[i] = torch.tensor([right - left, lower - upper])
        with atomic_write(images / name) as temporary:
            Image.fromarray(np.ascontiguousarray(pixels[i, upper:lower, left:right])).save(temporary, format="PNG")
    return replace(scene.cameras, K=K, size=size), names, [images / name for name in names]


# Each writes into an existing folder and returns the files it wrote.
EXPORTERS: dict[str, Exporter] = {
    "ply": export_ply,
    "splat": export_splat,
    "spz": export_spz,
    "glb": export_glb,
    "points": export_points,
    "transforms": export_transforms,
    "colmap": export_colmap,
}
