import torch

from recon.geometry.se3 import invert_rigid, rigid, rotation_from_quat
from recon.render.trajectory import tour, visiting_order
from recon.types import Cameras


def arc(num: int) -> Cameras:
    angle = torch.linspace(0, 1, num, dtype=torch.float64)
    quat = torch.stack([(angle / 2).cos(), 0 * angle, (angle / 2).sin(), 0 * angle], dim=-1)
    centres = torch.stack([angle.sin(), 0 * angle, angle.cos()], dim=-1)
    K = torch.tensor([[50.0, 0, 32], [0, 50, 24], [0, 0, 1]]).expand(num, 3, 3)
    pose = invert_rigid(rigid(rotation_from_quat(quat), centres)).float()
    return Cameras(pose, K, torch.tensor([64, 48]).expand(num, 2))


def test_a_shuffled_arc_is_visited_in_order(generator):
    cameras = arc(7)
    order = torch.randperm(7, generator=generator)
    walk = [int(order[i]) for i in visiting_order(cameras.centers[order])]
    assert walk in (list(range(7)), list(range(6, -1, -1)))


def test_the_tour_is_a_loop_of_valid_cameras_that_meets_both_ends():
    cameras = arc(5)
    path = tour(cameras, 48).validate()
    assert len(path) == 48
    distance = torch.cdist(path.centers, cameras.centers)
    assert float(distance.min(0).values[[0, -1]].max()) < 1e-3
    steps = (path.centers - path.centers.roll(-1, 0)).norm(dim=-1)
    assert float(steps.max()) < 0.15


def test_the_tour_stays_near_the_arc():
    path = tour(arc(6), 60)
    assert float((path.centers.norm(dim=-1) - 1).abs().max()) < 0.02


def test_two_cameras_suffice():
    tour(arc(2), 10).validate()
