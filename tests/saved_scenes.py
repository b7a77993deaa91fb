"""A small result folder to look at."""

from pathlib import Path

import torch

from recon.io.scene_json import write_scene_json
from recon.io.splats.ply import write_ply
from recon.types import Cameras, Gaussians, Provenance, Scene, ViewSet

WIDTH, HEIGHT = 64, 48


def two_balls() -> Scene:
    """Three cameras side by side that look along z at a red and a green ball, up being -y."""
    num = 3
    pose = torch.eye(4).repeat(num, 1, 1)
    pose[:, 0, 3] = torch.tensor([0.5, 0.0, -0.5])
    K = torch.tensor([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]]).repeat(num, 1, 1)
    size = torch.tensor([[WIDTH, HEIGHT]] * num)
    views = ViewSet(
        images=torch.zeros(num, 3, HEIGHT, WIDTH),
        names=("a.jpg", "b.jpg", "c.jpg"),
        original_size=size,
        crop_from_original=torch.eye(3).repeat(num, 1, 1),
        masks=torch.ones(num, HEIGHT, WIDTH, dtype=torch.bool),
        cameras=Cameras(pose, K, size),
    )
    means = torch.tensor([[-0.5, 0.0, 4.0], [0.5, 0.0, 4.0]])
    sh = torch.tensor([[[1.7, -1.7, -1.7]], [[-1.7, 1.7, -1.7]]])
    quats = torch.tensor([[1.0, 0, 0, 0]] * 2)
    gaussians = Gaussians(means, torch.full((2, 3), 0.3), quats, torch.full((2,), 0.99), sh)
    return Scene(views, gaussians, Provenance("none", "0" * 64, "given", {}, {}, 0))


def save_two_balls(folder: Path) -> Path:
    """Write `scene.json` and `gaussians.ply`."""
    scene = two_balls()
    folder.mkdir()
    write_ply(folder / "gaussians.ply", scene.gaussians)
    write_scene_json(folder / "scene.json", scene, {"gaussians.ply": (folder / "gaussians.ply").stat().st_size})
    return folder
