from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from app.web.results.pictures import KINDS, write_pictures
from recon.pipeline.pictures import pictures
from tests.saved_scenes import HEIGHT, WIDTH, two_balls


@pytest.fixture
def scene():
    """The photographs are what the Gaussians render."""
    scene = two_balls()
    shown = np.stack([picture.color for picture in pictures(scene.gaussians, scene.cameras)])
    images = torch.from_numpy(shown).permute(0, 3, 1, 2).float() / 255
    return replace(scene, views=replace(scene.views, images=images))


def test_four_pictures_of_every_view(scene, tmp_path):
    written = write_pictures(scene, tmp_path)
    assert [view["name"] for view in written.views] == ["a.jpg", "b.jpg", "c.jpg"]
    assert len(written.files) == 3 * len(KINDS)
    for view in written.views:
        for kind in KINDS:
            with Image.open(tmp_path / view[kind]) as picture:
                assert (picture.size, picture.mode) == ((WIDTH, HEIGHT), "RGB")
    near = np.asarray(Image.open(tmp_path / written.views[1]["photograph"])).astype(int)
    rendered = np.asarray(Image.open(tmp_path / written.views[1]["rendering"])).astype(int)
    assert np.abs(near - rendered).mean() < 1


def test_quality_is_that_of_the_rendering_within_the_photograph(scene, tmp_path):
    """Equal up to rounding to 8 bits; a wrong colour outside the photograph does not count, one inside does."""
    assert min(view["psnr_db"] for view in write_pictures(scene, tmp_path).views) > 50
    masks, images = scene.views.masks.clone(), scene.views.images.clone()
    masks[:, :, : WIDTH // 4] = False
    images[:, :, :, : WIDTH // 4] = 1.0
    outside = replace(scene, views=replace(scene.views, images=images, masks=masks))
    assert min(view["psnr_db"] for view in write_pictures(outside, tmp_path).views) > 50
    inside = replace(scene, views=replace(scene.views, images=images))
    assert max(view["psnr_db"] for view in write_pictures(inside, tmp_path).views) < 10


def test_confidence_is_bright_where_the_balls_are(scene, tmp_path):
    view = write_pictures(scene, tmp_path).views[1]
    shown = np.asarray(Image.open(tmp_path / view["confidence"]).convert("L")).astype(int)
    column = int(scene.cameras.K[1, 0, 2] + scene.cameras.K[1, 0, 0] * 0.5 / 4)
    assert shown[HEIGHT // 2, column] > shown[2, 2] + 80


def test_hostile_names_stay_inside(scene, tmp_path):
    hostile = replace(scene, views=replace(scene.views, names=("../../a.jpg", "/etc/b.jpg", "<img src=x>.jpg")))
    (tmp_path / "preview").mkdir()
    written = write_pictures(hostile, tmp_path / "preview")
    assert {path.name for path in tmp_path.iterdir()} == {"preview"}
    assert all((tmp_path / "preview" / name).is_file() for name in written.files)
