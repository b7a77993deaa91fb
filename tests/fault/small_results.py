"""A small scene, and all of its files written as the pipeline writes them."""

from pathlib import Path

import numpy as np
import torch

from recon.io.atomic import staged_folder
from recon.io.export import EXPORTERS
from recon.io.scene_json import read_scene_json, write_scene_json
from recon.io.video import write_mp4
from recon.types import Cameras, Gaussians, Provenance, Scene, ViewSet

WIDTH, HEIGHT = 64, 48


def small_scene() -> Scene:
    """Two views of noise, and 200 Gaussians."""
    generator = torch.Generator().manual_seed(0)
    cam_from_world = torch.eye(4).repeat(2, 1, 1)
    cam_from_world[1, 0, 3] = -0.1
    K = torch.tensor([[60.0, 0, WIDTH / 2], [0, 60.0, HEIGHT / 2], [0, 0, 1]]).repeat(2, 1, 1)
    size = torch.tensor([[WIDTH, HEIGHT]]).repeat(2, 1)
    views = ViewSet(
        images=torch.rand(2, 3, HEIGHT, WIDTH, generator=generator),
        names=("a.jpg", "b.jpg"),
        original_size=size,
        crop_from_original=torch.eye(3).repeat(2, 1, 1),
        masks=torch.ones(2, HEIGHT, WIDTH, dtype=torch.bool),
        cameras=Cameras(cam_from_world, K, size),
    )
    gaussians = Gaussians(
        means=torch.randn(200, 3, generator=generator) + torch.tensor([0.0, 0, 4]),
        scales=torch.rand(200, 3, generator=generator) + 0.01,
        quats=torch.nn.functional.normalize(torch.randn(200, 4, generator=generator), dim=1),
        opacities=torch.rand(200, generator=generator),
        sh=torch.randn(200, 1, 3, generator=generator),
    )
    return Scene(views, gaussians, Provenance("tiny", "0" * 64, "given", {}, {}, 0), unit="given")


def write_results(out: Path) -> None:
    """Every exporter that the scene alone is enough for, a video, and `scene.json` last."""
    scene = small_scene()
    frames = np.random.default_rng(0).integers(0, 255, (3, HEIGHT, WIDTH, 3), dtype=np.uint8)
    with staged_folder(out, overwrite=False) as folder:
        files = [path for export in EXPORTERS.values() for path in export(scene, folder)]
        write_mp4(folder / "turntable.mp4", iter(frames))
        files += [folder / "turntable.mp4"]
        write_scene_json(folder / "scene.json", scene, {str(p.relative_to(folder)): p.stat().st_size for p in files})


def is_whole(out: Path) -> bool:
    """Whether every file that `scene.json` names is there in its full size."""
    files = read_scene_json(out / "scene.json").files
    return len(files) > 4 and all((out / name).stat().st_size == size for name, size in files.items())
