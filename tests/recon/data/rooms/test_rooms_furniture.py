import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from recon.data.rooms.catalogue import CatalogueEntry, uses_of
from recon.data.rooms.furniture import FurnitureLibrary, convert_catalogues
from recon.data.rooms.generate import make_scene
from recon.data.rooms.mesh import box
from recon.data.rooms.obj_file import parse_mtl, parse_obj
from recon.data.rooms.supply import box_uvs

OBJ = """mtllib table.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0 0 2
vt 0 0
vt 1 0
vt 1 1
vt 0 1
vn 0 0 1
usemtl cloth
f 1/1/1 2/2/1 3/3/1 4/4/1
usemtl steel
f -5//1 2 5
"""
MTL = """newmtl cloth
Kd 1 1 1
map_Kd -s 1 1 1 Cloth.PNG
newmtl steel
Kd 0.2 0.3 0.4
Ks 0.9 0.6 0.3
Tr 0.25
"""


def entry(name: str, size: tuple[float, float, float], category: str = "Living room", elevation: float = 0.0):
    return CatalogueEntry("k", name, category, *size, elevation, "", "CC0-1.0")


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "Scopia.sh3f"
    rows = ["name", "category", "model", "width", "depth", "height", "creator"]
    table = ["Table", "Living room", "/m/table.obj", "120", "80", "75", "A. Maker"]
    car = ["Car", "Vehicles", "/m/table.obj", "120", "80", "75", "B. Maker"]
    lines = [f"{k}#{i + 1}={v}" for i, values in enumerate((table, car)) for k, v in zip(rows, values, strict=True)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("PluginFurnitureCatalog.properties", "\n".join(lines))
        archive.writestr("m/table.obj", OBJ)
        archive.writestr("m/table.mtl", MTL)
        picture = np.full((5, 7, 3), (10, 20, 200), np.uint8)
        archive.writestr("m/cloth.png", cv2.imencode(".png", picture)[1].tobytes())
    return path


def test_polygons_become_fans_and_corners_are_shared():
    model = parse_obj(OBJ)
    assert model.faces.shape == (3, 3)
    assert model.face_materials.tolist() == [0, 0, 1]
    assert model.material_names == ["cloth", "steel"]
    assert len(model.positions) == 4 + 3
    assert np.array_equal(model.positions[model.faces[1]], [[0, 0, 0], [1, 1, 0], [0, 1, 0]])


def test_materials_are_read_with_texture_options_and_transparency():
    materials = parse_mtl(MTL)
    assert materials["cloth"].texture == "Cloth.PNG"
    assert materials["steel"].color == (0.2, 0.3, 0.4)
    assert materials["steel"].specular == pytest.approx(0.6)
    assert materials["steel"].opacity == 0.75


def test_names_and_sizes_decide_the_use():
    assert "chair" in uses_of(entry("Oak chair", (0.45, 0.5, 0.9)))
    assert "chair" not in uses_of(entry("Baby high chair", (0.6, 0.64, 1.04)))
    assert "table" in uses_of(entry("Table", (1.4, 0.9, 0.75)))
    assert "small" in uses_of(entry("Vase", (0.2, 0.2, 0.3)))
    assert "small" not in uses_of(entry("Woman shoes", (0.24, 0.28, 0.16)))


def test_a_catalogue_is_converted_with_sizes_textures_and_credits(catalogue: Path, tmp_path: Path):
    entries = convert_catalogues([catalogue], tmp_path / "out")
    assert [e.name for e in entries] == ["Table"]
    library = FurnitureLibrary(tmp_path / "out")
    model = library.load(library.entries[0])
    size = model.part.positions.max(0) - model.part.positions.min(0)
    assert size == pytest.approx([1.2, 0.8, 0.75], abs=1e-5)
    assert model.part.positions[:, 2].min() == pytest.approx(0, abs=1e-6)
    assert model.texture_sizes == [8]
    assert model.pyramids[0][0].tolist() == [200, 20, 10]
    assert [m.texture for m in model.materials] == [0, -1]
    assert "A. Maker, CC-BY-3.0" in (tmp_path / "out" / "CREDITS.md").read_text()
    assert library.by_use["table"] == library.entries


def test_projected_texture_coordinates_are_metres_on_every_side():
    part = box((0, 0, 0), (1, 2, 3), spacing=9.0)
    mapped, rows = box_uvs(part, np.ones(len(part.faces), bool), np.arange(len(part.faces), dtype=np.int32))
    corners, uv = mapped.positions[mapped.faces], mapped.uvs[mapped.faces]
    for i in range(3):
        world = np.linalg.norm(corners[:, i] - corners[:, i - 1], axis=1)
        assert np.linalg.norm(uv[:, i] - uv[:, i - 1], axis=1) == pytest.approx(world, abs=1e-5)
    assert rows.tolist() == list(range(len(part.faces)))


def test_scenes_can_be_made_with_catalogue_models(catalogue: Path, tmp_path: Path, small_library):
    convert_catalogues([catalogue], tmp_path / "out")
    scene = make_scene("val", 0, small_library, FurnitureLibrary(tmp_path / "out"), 2, 32)
    assert scene.images.std() > 5
