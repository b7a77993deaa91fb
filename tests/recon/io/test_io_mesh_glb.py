"""Meshes as glTF, read by Open3D's reader (Assimp), which shares no code with the writer."""

import json
import struct
from dataclasses import replace

import numpy as np
import open3d as o3d
import pytest
import torch

from recon.errors import ExportError, GeometryError
from recon.io.mesh_glb import linear_colors, write_mesh_glb
from recon.types import Mesh

TURN = np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]])


@pytest.fixture
def tetrahedron() -> Mesh:
    vertices = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]])
    faces = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    colors = torch.tensor([[1.0, 0.5, 0], [0, 1, 0.2], [0.02, 0, 1], [0.7, 0.7, 0.7]])
    return Mesh(vertices, faces, torch.nn.functional.normalize(vertices + 0.1, dim=-1), colors)


def document(path) -> dict:
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length])


def test_another_reader_finds_the_same_surface_with_y_up(tetrahedron, tmp_path):
    write_mesh_glb(tmp_path / "mesh.glb", tetrahedron, TURN)
    model = o3d.io.read_triangle_model(str(tmp_path / "mesh.glb"))
    (part,) = model.meshes
    found = np.asarray(part.mesh.vertices)[np.asarray(part.mesh.triangles)]
    wanted = tetrahedron.vertices[tetrahedron.faces].numpy() @ TURN.T

    def ordered(triangles):
        """Each triangle begun at its smallest vertex, winding kept."""
        turned = [min(np.roll(t, i, axis=0).round(5).tolist() for i in range(3)) for t in triangles]
        return sorted(turned)

    assert ordered(found) == ordered(wanted)
    places, shades = np.asarray(part.mesh.vertices), np.asarray(part.mesh.vertex_colors)
    colors = {tuple(v.round(4)): c for v, c in zip(places, shades, strict=True)}
    linear = linear_colors(tetrahedron.vertex_colors.numpy())[:, :3] / 65535
    for vertex, color in zip(tetrahedron.vertices.numpy() @ TURN.T, linear, strict=True):
        np.testing.assert_allclose(colors[tuple(vertex.astype(float).round(4))], color, atol=1 / 255)


def test_the_numbers_in_the_file_are_those_of_the_world(tetrahedron, tmp_path):
    write_mesh_glb(tmp_path / "mesh.glb", tetrahedron, TURN)
    content = document(tmp_path / "mesh.glb")
    position = content["accessors"][content["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    assert (position["min"], position["max"]) == ([0, 0, 0], [1, 2, 3])
    assert content["nodes"][0]["rotation"] == pytest.approx([1, 0, 0, 0])
    assert all(view["byteOffset"] % 4 == 0 for view in content["bufferViews"])


def test_middle_grey_is_darker_in_linear_light():
    assert linear_colors(np.array([[0.0, 0.5, 1.0]]))[0].tolist() == [0, round(0.21404114 * 65535), 65535, 65535]


def test_colours_and_normals_may_be_absent(tetrahedron, tmp_path):
    write_mesh_glb(tmp_path / "bare.glb", replace(tetrahedron, normals=None, vertex_colors=None), np.eye(3))
    assert list(document(tmp_path / "bare.glb")["meshes"][0]["primitives"][0]["attributes"]) == ["POSITION"]
    assert len(o3d.io.read_triangle_mesh(str(tmp_path / "bare.glb")).triangles) == 4


def test_what_has_no_form_is_refused(tetrahedron, tmp_path):
    with pytest.raises(ExportError, match="no face"):
        write_mesh_glb(tmp_path / "m.glb", replace(tetrahedron, faces=tetrahedron.faces[:0]), TURN)
    with pytest.raises(ExportError, match="texture"):
        write_mesh_glb(tmp_path / "m.glb", replace(tetrahedron, texture=torch.zeros(2, 2, 3)), TURN)
    with pytest.raises(GeometryError):
        write_mesh_glb(tmp_path / "m.glb", replace(tetrahedron, faces=tetrahedron.faces + 2), TURN)
    assert not (tmp_path / "m.glb").exists()
