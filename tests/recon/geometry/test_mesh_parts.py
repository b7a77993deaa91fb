import torch

from recon.geometry.mesh_parts import part_of_faces, with_faces, without_small_parts
from recon.types import Mesh


def strip(num: int, at: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Triangles in a row that share edges."""
    x = torch.arange(num + 2, dtype=torch.float32)
    vertices = torch.stack([x, x % 2, torch.full_like(x, at)], dim=-1)
    faces = torch.stack([torch.arange(num) + i for i in range(3)], dim=-1)
    return vertices, faces


def two_strips() -> Mesh:
    (long, faces), (short, more) = strip(100, 0.0), strip(4, 5.0)
    vertices = torch.cat([long, short])
    return Mesh(vertices, torch.cat([faces, more + len(long)]), None, vertices.clamp(0, 1))


def test_parts_hang_together_by_vertices():
    parts = part_of_faces(two_strips())
    assert len(set(parts[:100].tolist())) == len(set(parts[100:].tolist())) == 1
    assert parts[0] != parts[-1]


def test_crumbs_go_and_the_rest_keeps_its_place_and_colour():
    mesh = two_strips()
    kept = without_small_parts(mesh, 0.1).validate()
    assert len(kept.faces) == 100
    assert len(kept.vertices) == 102
    torch.testing.assert_close(kept.vertices[kept.faces], mesh.vertices[mesh.faces[:100]])
    assert kept.vertex_colors is not None
    assert mesh.vertex_colors is not None
    torch.testing.assert_close(kept.vertex_colors[kept.faces], mesh.vertex_colors[mesh.faces[:100]])
    assert len(without_small_parts(mesh, 0.01).faces) == 104


def test_chosen_faces():
    mesh = two_strips()
    torch.testing.assert_close(with_faces(mesh, torch.tensor([3])).vertices, mesh.vertices[3:6])
