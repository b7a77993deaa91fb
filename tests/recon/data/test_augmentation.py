from dataclasses import replace

import numpy as np
import torch

from recon.data.augmentation import PosedViews, jitter_colour, mirror, random_crop_resize
from recon.geometry.projection import project
from recon.geometry.se3 import rigid, rotation_from_quat


def views(generator: torch.Generator) -> PosedViews:
    quat = torch.tensor([1.0, 0, 0, 0]) + 0.1 * torch.randn(3, 4, generator=generator)
    pose = rigid(rotation_from_quat(quat), 0.3 * torch.randn(3, 3, generator=generator))
    K = torch.tensor([[70.0, 0, 30], [0, 72, 34], [0, 0, 1]]).expand(3, 3, 3).clone()
    return PosedViews(
        torch.rand(3, 3, 64, 64, generator=generator), pose, K, torch.rand(3, 64, 64, generator=generator)
    )


def test_mirroring_mirrors_the_projection_of_the_mirrored_point(generator):
    original = views(generator)
    mirrored = mirror(original)
    points = torch.rand(20, 3, generator=generator) + torch.tensor([-0.5, -0.5, 2.0])
    flipped = points * torch.tensor([-1.0, 1, 1])
    before, _ = project(points.expand(3, -1, -1), original.cam_from_world, original.K)
    after, _ = project(flipped.expand(3, -1, -1), mirrored.cam_from_world, mirrored.K)
    torch.testing.assert_close(after[..., 0], 64 - before[..., 0], atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(after[..., 1], before[..., 1], atol=1e-3, rtol=1e-4)
    assert float(torch.linalg.det(mirrored.cam_from_world[:, :3, :3]).min()) > 0.99


def test_mirroring_twice_changes_nothing(generator):
    original = views(generator)
    twice = mirror(mirror(original))
    for a, b in zip(vars(original).values(), vars(twice).values(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_crop_shows_the_same_point_at_the_same_place(generator):
    """A ramp image tells its own pixel coordinates, so the crop can be compared with its intrinsics."""
    original = views(generator)
    ramp = (torch.arange(64) + 0.5) / 64
    image = torch.stack([ramp.expand(64, 64), ramp[:, None].expand(64, 64), torch.zeros(64, 64)])
    original = replace(original, images=image.expand(3, 3, 64, 64))
    cropped = random_crop_resize(original, (32, 32), 0.5, np.random.default_rng(3))
    x = (torch.tensor(15.5) - cropped.K[0, 0, 2]) / cropped.K[0, 0, 0] * 70 + 30
    y = (torch.tensor(15.5) - cropped.K[0, 1, 2]) / cropped.K[0, 1, 1] * 72 + 34
    shown = cropped.images[0, :2, 15, 15] * 64
    torch.testing.assert_close(shown, torch.stack([x, y]), atol=0.05, rtol=0)


def test_colour_jitter_treats_all_views_alike(generator):
    one = torch.rand(1, 3, 8, 8, generator=generator)
    original = PosedViews(one.expand(3, 3, 8, 8), torch.eye(4).repeat(3, 1, 1), torch.eye(3).repeat(3, 1, 1))
    changed = jitter_colour(original, 0.2, np.random.default_rng(0)).images
    torch.testing.assert_close(changed[0], changed[2])
    assert not torch.equal(changed[0], one[0])
    assert changed.min() >= 0
    assert changed.max() <= 1
