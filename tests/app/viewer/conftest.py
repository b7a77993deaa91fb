import json
from pathlib import Path

import pytest
import torch

from recon.io.ply import write_ply
from recon.io.scene_json import write_scene_json
from recon.types import Cameras, Gaussians, Provenance, Scene, ViewSet


@pytest.fixture
def result_folder(tmp_path: Path) -> Path:
    """A result folder: three cameras side by side that look at a red and a green ball, up being -y."""
    num = 3
    pose = torch.eye(4).repeat(num, 1, 1)
    pose[:, 0, 3] = torch.tensor([0.5, 0.0, -0.5])
    K = torch.tensor([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]]).repeat(num, 1, 1)
    size = torch.tensor([[64, 48]] * num)
    masks = torch.ones(num, 48, 64, dtype=torch.bool)
    views = ViewSet(
        torch.zeros(num, 3, 48, 64), ("a.jpg", "b.jpg", "c.jpg"), size, torch.eye(3).repeat(num, 1, 1), masks,
        Cameras(pose, K, size),
    )  # fmt: skip
    means = torch.tensor([[-0.5, 0.0, 4.0], [0.5, 0.0, 4.0]])
    sh = torch.tensor([[[1.7, -1.7, -1.7]], [[-1.7, 1.7, -1.7]]])
    quats = torch.tensor([[1.0, 0, 0, 0]] * 2)
    gaussians = Gaussians(means, torch.full((2, 3), 0.3), quats, torch.full((2,), 0.99), sh)
    scene = Scene(views, gaussians, Provenance("none", "0" * 64, "given", {}, {}, 0))
    folder = tmp_path / "room"
    folder.mkdir()
    write_ply(folder / "gaussians.ply", gaussians)
    write_scene_json(folder / "scene.json", scene, {"gaussians.ply": (folder / "gaussians.ply").stat().st_size})
    assert json.loads((folder / "scene.json").read_text())["views"]
    return folder
