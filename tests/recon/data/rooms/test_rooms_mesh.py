import numpy as np
import pytest

from recon.data.rooms.mesh import MeshPart, box, concatenate, cylinder, rectangle, rotation_z, sphere
from recon.data.rooms.model_prep import fit_to_size, repair_normals, subdivide


def area(part: MeshPart) -> float:
    a, b, c = (part.positions[part.faces[:, i]].astype(float) for i in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def volume(part: MeshPart) -> float:
    """Signed volume, positive when faces wind counter-clockwise seen from outside (divergence theorem)."""
    a, b, c = (part.positions[part.faces[:, i]].astype(float) for i in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def test_a_box_has_the_volume_and_surface_of_a_box():
    part = box((-1, 0, 2), (1, 3, 2.5), spacing=0.4)
    assert volume(part) == pytest.approx(3.0, rel=1e-5)
    assert area(part) == pytest.approx(2 * (2 * 3 + 2 * 0.5 + 3 * 0.5), rel=1e-5)


def test_a_sphere_and_a_cylinder_have_nearly_their_volume():
    assert volume(sphere(0.5, 48)) == pytest.approx(4 / 3 * np.pi * 0.125, rel=0.02)
    assert volume(cylinder(0.3, 2.0, 64)) == pytest.approx(np.pi * 0.09 * 2, rel=0.01)


@pytest.mark.parametrize("part", [box((0, 0, 0), (1, 2, 3)), sphere(1.0), cylinder(0.5, 1.0)])
def test_shading_normals_agree_with_the_winding(part: MeshPart):
    a, b, c = (part.positions[part.faces[:, i]] for i in range(3))
    flat = np.cross(b - a, c - a)
    length = np.linalg.norm(flat, axis=1)
    mean = part.normals[part.faces].mean(1)
    assert (np.einsum("ij,ij->i", flat, mean)[length > 1e-6] > 0).all()


def test_texture_coordinates_of_a_rectangle_are_metres():
    part = rectangle(np.zeros(3), np.array([2.0, 0, 0]), np.array([0, 0, 1.5]), 0.3)
    spread = part.uvs.max(0) - part.uvs.min(0)
    assert spread == pytest.approx([2.0, 1.5])
    assert np.allclose(part.normals, [0, -1, 0])


def test_no_cell_of_a_rectangle_is_longer_than_the_spacing():
    part = rectangle(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), 0.13)
    corners = part.positions[part.faces]
    sides = np.sort(np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2), axis=1)[:, :2]
    assert sides.max() <= 0.13 + 1e-6


def test_moving_keeps_volume_and_turning_inside_out_negates_it():
    part = box((0, 0, 0), (1, 1, 1))
    moved = part.moved(rotation_z(0.7), np.array([3.0, -2.0, 5.0]))
    assert volume(moved) == pytest.approx(1.0, rel=1e-4)
    assert volume(part.flipped()) == pytest.approx(-1.0, rel=1e-5)


def test_joined_parts_add_up():
    parts = [box((0, 0, 0), (1, 1, 1)), sphere(0.3)]
    assert area(concatenate(parts)) == pytest.approx(area(parts[0]) + area(parts[1]), rel=1e-5)


def test_subdividing_keeps_the_surface_and_bounds_the_edges():
    positions = np.array([[0, 0, 0], [4, 0, 0], [4, 3, 0], [0, 3, 1]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    normals, faces = repair_normals(positions, np.zeros_like(positions), faces)
    mesh = subdivide(positions, normals, faces, positions[:, :2].copy(), np.array([5, 7], np.int32), longest=0.5)
    corners = mesh["positions"][mesh["faces"]]
    before = MeshPart(positions, normals, positions[:, :2].copy(), faces, positions)
    after = MeshPart(mesh["positions"], mesh["normals"], mesh["uvs"], mesh["faces"], mesh["positions"])
    assert np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max() <= 0.5
    assert area(after) == pytest.approx(area(before), rel=1e-5)
    assert set(mesh["face_materials"].tolist()) == {5, 7}
    assert np.allclose(np.linalg.norm(mesh["normals"], axis=1), 1, atol=1e-5)


def test_fitting_gives_the_catalogue_size_standing_on_the_origin():
    fitted = fit_to_size(np.random.default_rng(0).normal(size=(50, 3)), (1.2, 0.6, 0.75))
    assert fitted.max(0) == pytest.approx([0.6, 0.3, 0.75], abs=1e-5)
    assert fitted.min(0) == pytest.approx([-0.6, -0.3, 0.0], abs=1e-5)
