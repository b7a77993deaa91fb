from dataclasses import replace

import torch

from recon.refine.pruning import worth_keeping
from tests.recon.refine.conftest import make_cameras


def change(gaussians, index, **values):
    changed = {name: getattr(gaussians, name).clone() for name in values}
    for name, value in values.items():
        changed[name][index] = torch.as_tensor(value)
    return replace(gaussians, **changed)


def test_solid_things_stay(scene, depths):
    assert bool(worth_keeping(scene, make_cameras(), depths, 0.02).all())


def test_the_hardly_visible_goes(scene, depths):
    keep = worth_keeping(change(scene, 7, opacities=0.01), make_cameras(), depths, 0.02)
    assert keep.logical_not().nonzero().flatten().tolist() == [7]


def test_a_veil_goes(scene, depths):
    keep = worth_keeping(change(scene, 3, scales=[1.0, 0.1, 0.1]), make_cameras(), depths, 0.02)
    assert keep.logical_not().nonzero().flatten().tolist() == [3]


def test_what_hovers_before_a_camera_goes(scene, depths):
    center = make_cameras().centers[0]
    floater = change(scene, 5, means=center + torch.tensor([0.0, 0.0, 0.1]), scales=[0.001, 0.001, 0.001])
    keep = worth_keeping(floater, make_cameras(), depths, 0.02)
    assert keep.logical_not().nonzero().flatten().tolist() == [5]


def test_what_is_behind_all_cameras_is_left_alone(scene, depths):
    behind = change(scene, 2, means=[0.0, 0.0, -5.0], scales=[3.0, 3.0, 3.0])
    assert bool(worth_keeping(behind, make_cameras(), depths, 0.02).all())
