import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trimesh

from recon.errors import FormatError, LimitError
from recon.io.limits import Limits
from recon.io.splats.files import read_gaussians, write_gaussians
from recon.metrics.gaussians import largest_errors
from recon.types import Gaussians

UP = torch.tensor([1.0, -1.0, -1.0])


def split(content: bytes) -> tuple[dict[str, Any], bytes]:
    num = struct.unpack_from("<I", content, 12)[0]
    return json.loads(content[20 : 20 + num]), content[28 + num :]


def joined(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


@pytest.fixture
def written(tmp_path: Path, make_gaussians: Callable[..., Gaussians]) -> Path:
    write_gaussians(tmp_path / "x.glb", make_gaussians(5, 2))
    return tmp_path / "x.glb"


def test_an_independent_reader_finds_coloured_points(written: Path, make_gaussians: Callable[..., Gaussians]):
    (points,) = trimesh.load_scene(written).geometry.values()
    gaussians = make_gaussians(5, 2)
    assert isinstance(points, trimesh.PointCloud)
    assert np.array_equal(np.float32(points.vertices), (gaussians.means * UP).numpy())
    color = (0.5 + 0.28209479 * gaussians.sh[:, 0]).clamp(0, 1)
    assert np.abs(points.colors[:, :3] / 255 - color.numpy()).max() <= 0.5 / 255 + 1e-6
    assert np.abs(points.colors[:, 3] / 255 - gaussians.opacities.numpy()).max() <= 0.5 / 255 + 1e-6


def test_the_document_is_the_one_of_the_extension(written: Path):
    document, binary = split(written.read_bytes())
    (primitive,) = document["meshes"][0]["primitives"]
    assert primitive["mode"] == 0
    assert primitive["extensions"]["KHR_gaussian_splatting"]["kernel"] == "ellipse"
    assert document["extensionsUsed"] == ["KHR_gaussian_splatting"]
    prefix = "KHR_gaussian_splatting:"
    names = {"ROTATION", "SCALE", "OPACITY", "SH_DEGREE_0_COEF_0"}
    names |= {f"SH_DEGREE_{band}_COEF_{n}" for band in (1, 2) for n in range(2 * band + 1)}
    assert set(primitive["attributes"]) == {"POSITION", "COLOR_0"} | {prefix + name for name in names}
    assert document["buffers"] == [{"byteLength": len(binary)}]
    assert {len(node) for node in document["nodes"]} == {1}


def test_a_file_of_another_program_is_read(fixtures: Path):
    """splat-transform turns half a turn about z instead of x, so that its scene differs by half a turn about y."""
    source = read_gaussians(fixtures / "splat_transform" / "source.ply")
    other = read_gaussians(fixtures / "splat_transform" / "splats.glb")
    about_y = torch.tensor([-1.0, 1.0, -1.0])
    assert torch.equal(other.means, source.means * about_y)
    assert torch.allclose(other.scales, source.scales)
    assert torch.allclose(other.opacities, source.opacities)
    assert torch.equal(other.sh[:, 0], source.sh[:, 0])


def change(document: dict[str, Any], path: list[Any], value: Any) -> None:
    for step in path[:-1]:
        document = document[step]
    if value is None:
        del document[path[-1]]
    else:
        document[path[-1]] = value


PRIMITIVE = ["meshes", 0, "primitives", 0]
PROPERTIES = [*PRIMITIVE, "extensions", "KHR_gaussian_splatting"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ([*PRIMITIVE, "extensions"], {}),
        ([*PRIMITIVE, "attributes", "POSITION"], None),
        ([*PRIMITIVE, "attributes", "POSITION"], 99),
        ([*PRIMITIVE, "attributes", "POSITION"], -1),
        ([*PRIMITIVE, "attributes", "POSITION"], "0"),
        ([*PRIMITIVE, "attributes", "KHR_gaussian_splatting:SH_DEGREE_1_COEF_0"], None),
        ([*PROPERTIES, "kernel"], "sphere"),
        ([*PROPERTIES, "colorSpace"], "lin_rec709_display"),
        ([*PROPERTIES, "extensions"], {"KHR_gaussian_splatting_compression": {}}),
        (["nodes", 0, "matrix"], [1.0] * 16),
        (["meshes"], []),
        (["meshes"], {}),
        (["accessors", 0, "count"], 4),
        (["accessors", 0, "count"], 6),
        (["accessors", 0, "count"], -1),
        (["accessors", 0, "count"], 5.0),
        (["accessors", 0, "type"], "VEC2"),
        (["accessors", 0, "componentType"], 5123),
        (["accessors", 0, "sparse"], {}),
        (["accessors", 0, "byteOffset"], 4),
        (["bufferViews", 0, "byteLength"], 10**12),
        (["bufferViews", 0, "byteOffset"], 10**12),
        (["bufferViews", 0, "byteStride"], 16),
        (["bufferViews", 0, "buffer"], 1),
        (["buffers", 0, "uri"], "/etc/passwd"),
    ],
)
def test_documents_that_lead_elsewhere_are_refused(path: list[Any], value: Any, written: Path):
    document, binary = split(written.read_bytes())
    written.write_bytes(joined(document, binary))
    read_gaussians(written)
    change(document, path, value)
    written.write_bytes(joined(document, binary))
    with pytest.raises(FormatError, match=r"x\.glb"):
        read_gaussians(written)


@pytest.mark.parametrize("text", [b"[]  ", b"nope", b"[" * 4000, b"\xff\xff\xff\xff"])
def test_what_is_no_document_is_refused(text: bytes, written: Path):
    content = struct.pack("<4sII", b"glTF", 2, 20 + len(text)) + struct.pack("<I4s", len(text), b"JSON") + text
    written.write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.glb"):
        read_gaussians(written)


def test_large_documents_are_not_parsed(written: Path):
    with pytest.raises(LimitError, match="bytes of JSON"):
        read_gaussians(written, limits=Limits(max_json_bytes=100))


def test_every_degree_is_read(tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    for degree in range(4):
        write_gaussians(tmp_path / "x.glb", make_gaussians(3, degree))
        errors = largest_errors(read_gaussians(tmp_path / "x.glb"), make_gaussians(3, degree))
        assert max(errors.values()) < 1e-4
