import json
from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from recon.pipeline.depth_maps import export_depth
from recon.pipeline.pictures import colored_depth, depth_range
from recon.types import Gaussians
from tests.saved_scenes import HEIGHT, WIDTH, two_balls


def test_depth_is_exact_where_a_surface_is_and_0_elsewhere(tmp_path):
    files = export_depth(two_balls(), tmp_path)
    assert {str(p.relative_to(tmp_path)) for p in files} == {"depth/depth.json"} | {
        f"depth/{name}.{kind}" for name in "abc" for kind in ("npy", "png")
    }
    depth = np.load(tmp_path / "depth/b.npy", allow_pickle=False)
    assert (depth.dtype, depth.shape) == (np.float32, (HEIGHT, WIDTH))
    assert depth[0, 0] == 0
    np.testing.assert_allclose(depth[depth > 0], 4.0, atol=1e-4)
    assert 50 < (depth > 0).sum() < 600


def test_the_picture_is_black_where_there_is_no_surface(tmp_path):
    export_depth(two_balls(), tmp_path)
    depth = np.load(tmp_path / "depth/a.npy")
    picture = np.asarray(Image.open(tmp_path / "depth/a.png"))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert ((picture == 0).all(-1) == (depth == 0)).all()


def test_the_sidecar_says_what_the_numbers_are(tmp_path):
    export_depth(replace(two_balls(), unit="given"), tmp_path)
    content = json.loads((tmp_path / "depth/depth.json").read_text())
    assert content["maps"] == ["a", "b", "c"]
    assert content["unit"] == "given"
    assert content["min_alpha"] == 0.5
    assert 3.9 < content["near"] < content["far"] < 4.1


def test_near_is_red_and_far_is_blue():
    red, blue = colored_depth(np.array([[1.0, 10.0]], np.float32), 1.0, 10.0)[0].tolist()
    assert red[0] > red[2]
    assert blue[2] > blue[0]


def test_a_scene_that_shows_nothing_has_a_range_all_the_same():
    scene = two_balls()
    behind = Gaussians(*(getattr(scene.gaussians, n) for n in ("means", "scales", "quats", "opacities", "sh")))
    behind = replace(behind, means=behind.means * torch.tensor([1.0, 1, -1]))
    assert depth_range(behind, scene.cameras) == (1.0, 2.0)
