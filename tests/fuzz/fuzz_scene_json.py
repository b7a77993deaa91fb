"""What a result says of itself, and the list of its files."""

from pathlib import Path

import torch
from fuzzing import SMALL
from seed_data import small_cameras, small_gaussians, written

from recon.io.recorded_files import recorded_files
from recon.io.scene_json import read_scene_json, write_scene_json
from recon.types import Provenance, Scene, ViewSet


def small_scene() -> Scene:
    views = ViewSet(
        images=torch.zeros(2, 3, 6, 8),
        names=("a.jpg", "b.jpg"),
        original_size=torch.tensor([[8, 6], [16, 12]]),
        crop_from_original=torch.eye(3).repeat(2, 1, 1),
        masks=torch.ones(2, 6, 8, dtype=torch.bool),
        cameras=small_cameras(),
    )
    provenance = Provenance("tiny", "0" * 64, "given", {"views": 2}, {"torch": "2"}, 7)
    return Scene(views, small_gaussians(2), provenance, up=(0.0, -1.0, 0.0), unit="given", report={"seconds": 1.5})


def seeds() -> list[bytes]:
    return [written(lambda path: write_scene_json(path, small_scene(), {"x.ply": 3, "images/a.png": 4}), "scene.json")]


def feed(data: bytes, folder: Path) -> object:
    path = folder / "scene.json"
    path.write_bytes(data)
    inside = folder.resolve()
    assert all(file.resolve().is_relative_to(inside) for file in recorded_files(folder))
    return read_scene_json(path, limits=SMALL)
