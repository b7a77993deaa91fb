"""Pictures and cameras whose right reading is known."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from recon.types import Cameras, Gaussians, Provenance, Scene, ViewSet


def make_picture(width: int, height: int) -> np.ndarray:
    """A smooth picture without any symmetry."""
    y, x = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    channels = [x, y, 0.5 + 0.5 * np.sin(3 * x + 5 * y)]
    return np.round(np.stack(channels, axis=-1) * 255).astype(np.uint8)


@pytest.fixture
def picture() -> Callable[[int, int], np.ndarray]:
    return make_picture


@pytest.fixture
def photo_folder(tmp_path: Path) -> Path:
    """Three PNG files of 40 x 30."""
    folder = tmp_path / "photos"
    (folder / "images").mkdir(parents=True)
    for i in range(3):
        Image.fromarray(np.roll(make_picture(40, 30), 7 * i, axis=1)).save(folder / "images" / f"{i}.png")
    return folder


def look_around(num: int, size: tuple[int, int] = (40, 30)) -> Cameras:
    """Cameras on a circle of radius 2 that look at the origin."""
    poses = []
    for i in range(num):
        angle = 0.4 * i
        c, s = math.cos(angle), math.sin(angle)
        poses.append([[c, 0, s, 0], [0, 1, 0, 0.1 * i], [-s, 0, c, 2], [0, 0, 0, 1]])
    K = torch.tensor([[35.0, 0, size[0] / 2 + 1.5], [0, 36.0, size[1] / 2 - 0.75], [0, 0, 1]])
    return Cameras(torch.tensor(poses), K.expand(num, 3, 3).clone(), torch.tensor([size]).expand(num, 2).clone())


@pytest.fixture
def cameras() -> Cameras:
    return look_around(3)


@pytest.fixture
def scene(generator: torch.Generator) -> Scene:
    """Two views of 32 x 16 and five Gaussians."""
    views = ViewSet(
        images=torch.rand(2, 3, 16, 32, generator=generator),
        names=("a.jpg", "b.png"),
        original_size=torch.tensor([[64, 32], [320, 160]]),
        crop_from_original=torch.diag_embed(torch.tensor([[0.5, 0.5, 1.0], [0.1, 0.1, 1.0]])),
        masks=torch.ones(2, 16, 32, dtype=torch.bool),
        cameras=look_around(2, (32, 16)),
    )
    gaussians = Gaussians(
        means=torch.randn(5, 3, generator=generator),
        scales=torch.rand(5, 3, generator=generator) + 0.1,
        quats=torch.nn.functional.normalize(torch.randn(5, 4, generator=generator), dim=1),
        opacities=torch.rand(5, generator=generator),
        sh=torch.randn(5, 4, 3, generator=generator),
    )
    provenance = Provenance("tiny", "0" * 64, "given", {"views": {"max": 4}}, {"torch": "2.13"}, 7)
    return Scene(views, gaussians, provenance, up=(0.0, -1.0, 0.0), unit="given", report={"seconds": 1.5})


def random_gaussians(num: int, degree: int, seed: int = 0) -> Gaussians:
    """Gaussians of the sizes and colours that scenes have, spread over some ten units."""
    generator = torch.Generator().manual_seed(seed)
    return Gaussians(
        means=3 * torch.randn(num, 3, generator=generator),
        scales=(torch.randn(num, 3, generator=generator) - 3).exp(),
        quats=torch.nn.functional.normalize(torch.randn(num, 4, generator=generator), dim=1),
        opacities=torch.rand(num, generator=generator),
        sh=torch.rand(num, (degree + 1) ** 2, 3, generator=generator) * 1.8 - 0.9,
    )


@pytest.fixture
def make_gaussians() -> Callable[..., Gaussians]:
    return random_gaussians
