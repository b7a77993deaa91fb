"""A network that makes nothing, or nonsense: a typed error, and nothing is written."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from recon.errors import ReconError
from recon.io.splats.ply import write_ply
from recon.io.transforms_json import write_transforms
from recon.pipeline.reconstruct import PipelineConfig, reconstruct
from recon.types import Cameras, Gaussians, PoseEstimate

SIDE = 64


class Makes:
    """Stands in for a network that gives the same Gaussians whatever it sees."""

    name, weights_sha256, multiple, max_views = "stand-in", "0" * 64, 16, 8

    def __init__(self, gaussians: Gaussians):
        self.gaussians = gaussians

    def reconstruct(self, views, *, points=None) -> Gaussians:
        return self.gaussians

    def memory_bytes(self, num_views, height, width) -> int:
        return 1000


class NotAsked:
    """Stands in for structure from motion where poses are given."""

    fingerprint = "not asked"

    def estimate(self, photographs, *, seed=0, progress=None) -> PoseEstimate:
        raise AssertionError("poses are given")


def gaussians(num: int = 4, **changed: float) -> Gaussians:
    """In front of the cameras; a named field is filled with the given value in the last of them, or in all."""
    fields = {
        "means": torch.tensor([[0.0, 0, 2]]).repeat(num, 1),
        "scales": torch.full((num, 3), 0.1),
        "quats": torch.tensor([[1.0, 0, 0, 0]]).repeat(num, 1),
        "opacities": torch.full((num,), 0.9),
        "sh": torch.zeros(num, 1, 3),
    }
    for name, value in changed.items():
        fields[name.removeprefix("all_")][0 if name.startswith("all_") else -1 :] = value
    return Gaussians(**fields)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    pose = torch.eye(4).repeat(2, 1, 1)
    pose[1, 0, 3] = -0.1
    K = torch.tensor([[60.0, 0, SIDE / 2], [0, 60, SIDE / 2], [0, 0, 1]]).repeat(2, 1, 1)
    write_transforms(folder / "transforms.json", Cameras(pose, K, torch.tensor([[SIDE, SIDE]] * 2)), ("0.png", "1.png"))
    for i in range(2):
        Image.effect_noise((SIDE, SIDE), 40).convert("RGB").save(folder / f"{i}.png")
    return folder


def run(source: Path, out: Path, made: Gaussians, *export: str):
    config = PipelineConfig(resolution=64, refine=0, export=export)
    return reconstruct(source, out, reconstructor=Makes(made), pose_estimator=NotAsked(), config=config)


NAN, INFINITE = float("nan"), float("inf")
NONSENSE = {
    "no Gaussians": gaussians(0),
    "all NaN": gaussians(all_means=NAN, all_scales=NAN, all_quats=NAN, all_opacities=NAN, all_sh=NAN),
    "one NaN mean": gaussians(means=NAN),
    "one infinite mean": gaussians(means=INFINITE),
    "one infinite scale": gaussians(scales=INFINITE),
    "one NaN opacity": gaussians(opacities=NAN),
    "one NaN colour": gaussians(sh=NAN),
    "zero rotations": gaussians(all_quats=0.0),
    "negative scales": gaussians(all_scales=-1.0),
    "opacities beyond one": gaussians(all_opacities=2.0),
}


@pytest.mark.parametrize("made", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_refused_and_nothing_is_written(made: Gaussians, source: Path, tmp_path: Path) -> None:
    with pytest.raises(ReconError) as caught:
        run(source, tmp_path / "out", made, "ply")
    assert caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("made", [gaussians(1), gaussians(all_opacities=1.0), gaussians(all_scales=1e-30)])
def test_odd_but_valid_ones_are_written_finite(made: Gaussians, source: Path, tmp_path: Path) -> None:
    """The control: a single Gaussian, full opacity and tiny scales have a place in every file."""
    run(source, tmp_path / "out", made, "ply")
    written = (tmp_path / "out" / "gaussians.ply").read_bytes()
    write_ply(tmp_path / "same.ply", made)
    assert written == (tmp_path / "same.ply").read_bytes()
