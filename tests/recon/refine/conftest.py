from dataclasses import replace

import pytest
import torch

from recon.geometry.se3 import rigid, rotation_from_vector
from recon.render.rasterizer import render
from recon.types import Cameras, Gaussians, ViewSet

SIDE, NUM_VIEWS = 40, 6


def make_scene(seed=0, num=400):
    """Coloured blobs in a box two to four units before the cameras."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape):
        return torch.rand(*shape, generator=generator)

    means = uniform(num, 3) * torch.tensor([2.4, 2.4, 2.0]) + torch.tensor([-1.2, -1.2, 2.0])
    quats = torch.nn.functional.normalize(uniform(num, 4) - 0.5, dim=1)
    return Gaussians(
        means, 0.06 + 0.08 * uniform(num, 3), quats, 0.6 + 0.39 * uniform(num), uniform(num, 1, 3) * 2 - 0.8
    )


def make_cameras(num=NUM_VIEWS):
    """Cameras side by side, turned a little towards the middle."""
    place = torch.linspace(-0.4, 0.4, num)
    turn = torch.stack([torch.zeros(num), 0.3 * place, torch.zeros(num)], dim=1)
    shift = torch.stack([-place, 0.1 * place.square(), torch.zeros(num)], dim=1)
    K = torch.tensor([[44.0, 0, SIDE / 2], [0, 44.0, SIDE / 2], [0, 0, 1]]).repeat(num, 1, 1)
    return Cameras(rigid(rotation_from_vector(turn), shift), K, torch.full((num, 2), SIDE))


def photograph(gaussians, cameras):
    """What the cameras see, as views."""
    num = len(cameras)
    with torch.no_grad():
        images = render(gaussians, cameras).color.permute(0, 3, 1, 2).clamp(0, 1)
    size = torch.full((num, 2), SIDE)
    masks = torch.ones(num, SIDE, SIDE, dtype=torch.bool)
    return ViewSet(images, tuple(map(str, range(num))), size, torch.eye(3).repeat(num, 1, 1), masks, cameras)


def disturb(gaussians, seed=1):
    """The scene with every number a little wrong."""
    generator = torch.Generator().manual_seed(seed)

    def noise(like, size):
        return size * torch.randn(like.shape, generator=generator)

    return replace(
        gaussians,
        means=gaussians.means + noise(gaussians.means, 0.02),
        scales=gaussians.scales * noise(gaussians.scales, 0.2).exp(),
        sh=gaussians.sh + noise(gaussians.sh, 0.4),
    )


@pytest.fixture(scope="session")
def scene():
    return make_scene()


@pytest.fixture(scope="session")
def views(scene):
    return photograph(scene, make_cameras())


@pytest.fixture(scope="session")
def depths():
    return torch.full((NUM_VIEWS,), 3.0)
