import pytest
import torch

from models.layers.contracts import Layout
from models.layers.feedforwards.keys import (
    checkerboard_keys,
    into_unit_cube,
    kind_keys,
    morton_cells,
    ray_cells,
    view_keys,
)
from models.layers.feedforwards.token_groups import layout_groups, patch_directions, point_groups, ray_groups
from recon.errors import InputError

LAYOUT = Layout(views=3, height=2, width=4, prefix=2)


def patches(keys: torch.Tensor) -> torch.Tensor:
    return keys[LAYOUT.prefix :].view(LAYOUT.views, LAYOUT.height, LAYOUT.width)


def test_views_take_turns():
    keys = view_keys(LAYOUT, 2)
    assert keys.shape == (LAYOUT.length,)
    assert keys[:2].tolist() == [0, 0]
    for view, group in enumerate([0, 1, 0]):
        assert (patches(keys)[view] == group).all()


def test_two_groups_make_a_checkerboard():
    board = patches(checkerboard_keys(LAYOUT, 2))
    assert board[1].tolist() == [[0, 1, 0, 1], [1, 0, 1, 0]]


@pytest.mark.parametrize("groups", [2, 3, 4, 9])
def test_neighbours_on_the_board_differ_and_groups_are_even(groups):
    layout = Layout(views=1, height=18, width=18)
    board = checkerboard_keys(layout, groups).view(18, 18)
    assert (board[1:] != board[:-1]).all()
    assert (board[:, 1:] != board[:, :-1]).all()
    assert torch.bincount(board.flatten()).tolist() == [18 * 18 // groups] * groups


def test_kinds_are_prefix_and_patch():
    assert kind_keys(LAYOUT).tolist() == [0, 0] + 24 * [1]


def test_opposite_rays_never_share_a_cell_and_cells_are_about_even(generator):
    directions = torch.nn.functional.normalize(torch.randn(20000, 3, generator=generator), dim=-1)
    cells = ray_cells(directions, 4)
    assert (cells != ray_cells(-directions, 4)).all()
    share = torch.bincount(cells, minlength=16) / 20000 * 16
    assert 0.5 < share.min() < share.max() < 2


def test_poles_of_the_octahedron():
    """+z is the centre of the square, -z its corners, the four others the middles of its edges."""
    axes = torch.tensor([[0.0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    assert ray_cells(axes, 3).tolist() == [4, 8, 5, 3, 7, 1]


def test_a_ray_cell_is_a_neighbourhood(generator):
    directions = torch.nn.functional.normalize(torch.randn(4000, 3, generator=generator), dim=-1)
    cells = ray_cells(directions, 4)
    for cell in range(16):
        inside = directions[cells == cell]
        assert (inside @ torch.nn.functional.normalize(inside.mean(dim=0), dim=-1)).min() > 0.5


def test_morton_cells_of_corners_count_through_the_octants():
    corners = torch.tensor([[x, y, z] for z in (0.1, 0.9) for y in (0.1, 0.9) for x in (0.1, 0.9)])
    assert morton_cells(corners, 1).tolist() == list(range(8))
    assert morton_cells(torch.tensor([[2.0, -1.0, 5.0]]), 1).tolist() == [5]


def test_morton_cells_of_a_cell_follow_each_other(generator):
    points = torch.rand(200, 3, generator=generator)
    assert torch.equal(morton_cells(points, 3) >> 6, morton_cells(points, 1))


def test_the_cube_of_a_scene_does_not_depend_on_its_place_and_size_or_on_other_scenes(generator):
    scene = torch.randn(1, 300, 3, generator=generator, dtype=torch.float64)
    moved = 7 * scene + torch.tensor([1.0, -5.0, 3.0], dtype=torch.float64)
    both = into_unit_cube(torch.cat([scene, moved]))
    torch.testing.assert_close(both[0], both[1])
    torch.testing.assert_close(both[:1], into_unit_cube(scene))


def test_the_ray_of_a_patch_goes_through_its_centre():
    K = torch.tensor([[[40.0, 0, 16], [0, 40, 8], [0, 0, 1]]])
    directions = patch_directions(torch.eye(4)[None], K, Layout(1, 2, 4), patch=8)
    expected = torch.tensor([(20 - 16) / 40, (12 - 8) / 40, 1.0])
    torch.testing.assert_close(directions[1 * 4 + 2], expected / expected.norm())


def test_groups_from_cameras_and_points_fit_the_layout(generator):
    directions = torch.nn.functional.normalize(torch.randn(2, 24, 3, generator=generator), dim=-1)
    groups = ray_groups(directions, LAYOUT, 5)
    assert groups.shape == (2, LAYOUT.length)
    assert torch.equal(groups[:, 2:], ray_cells(directions, 4) % 5)
    points = point_groups(torch.randn(2, 24, 3, generator=generator), LAYOUT, 4)
    assert points.shape == (2, LAYOUT.length)
    assert 0 <= points.min() <= points.max() < 4


def test_groups_of_a_layout_by_name():
    assert torch.equal(layout_groups("view", LAYOUT, 2), view_keys(LAYOUT, 2))
    assert torch.equal(layout_groups("checkerboard", LAYOUT, 4), checkerboard_keys(LAYOUT, 4))
    assert torch.equal(layout_groups("kind", LAYOUT, 2), kind_keys(LAYOUT))
    with pytest.raises(InputError, match="cameras"):
        layout_groups("ray", LAYOUT, 2)
