import io
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from plyfile import PlyData, PlyElement

from recon.errors import ExportError, FormatError, GeometryError, InputError, LimitError, ReconError
from recon.io.limits import Limits
from recon.io.splats.ply import read_ply, write_ply
from recon.types import Gaussians

NAMES = ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0", "scale_1", "scale_2"]
NAMES += ["rot_0", "rot_1", "rot_2", "rot_3"]


def random_gaussians(num: int, coefficients: int, seed: int = 0) -> Gaussians:
    generator = torch.Generator().manual_seed(seed)
    return Gaussians(
        means=100 * torch.randn(num, 3, generator=generator),
        scales=(3 * torch.randn(num, 3, generator=generator)).exp(),
        quats=torch.nn.functional.normalize(torch.randn(num, 4, generator=generator), dim=1),
        opacities=torch.rand(num, generator=generator),
        sh=torch.randn(num, coefficients, 3, generator=generator),
    )


def assert_close(a: Gaussians, b: Gaussians):
    assert torch.equal(a.means, b.means)
    assert torch.equal(a.sh, b.sh)
    assert torch.allclose(a.scales, b.scales, rtol=1e-5)
    assert torch.allclose(a.quats, b.quats, atol=1e-6)
    assert torch.allclose(a.opacities, b.opacities, atol=1e-6)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(num=st.integers(0, 20), coefficients=st.sampled_from([1, 4, 9, 16]), seed=st.integers(0, 1000))
@example(num=0, coefficients=16, seed=0)
@example(num=1, coefficients=1, seed=0)
def test_what_is_written_is_read(num: int, coefficients: int, seed: int, tmp_path: Path):
    gaussians = random_gaussians(num, coefficients, seed)
    write_ply(tmp_path / "x.ply", gaussians)
    assert_close(read_ply(tmp_path / "x.ply"), gaussians)


def test_an_independent_reader_finds_every_field(tmp_path: Path):
    gaussians = random_gaussians(7, 4)
    write_ply(tmp_path / "x.ply", gaussians)
    (vertex,) = PlyData.read(str(tmp_path / "x.ply")).elements
    column = {name: torch.from_numpy(np.array(vertex[name])) for name in vertex.data.dtype.names}
    assert list(column)[:9] == NAMES[:9]
    assert list(column)[9:18] == [f"f_rest_{i}" for i in range(9)]
    assert list(column)[18:] == NAMES[9:]
    assert torch.equal(torch.stack([column["x"], column["y"], column["z"]], 1), gaussians.means)
    for channel in range(3):
        assert torch.equal(column[f"f_dc_{channel}"], gaussians.sh[:, 0, channel])
        for k in range(3):  # channel by channel
            assert torch.equal(column[f"f_rest_{3 * channel + k}"], gaussians.sh[:, 1 + k, channel])
    assert torch.allclose(torch.sigmoid(column["opacity"]), gaussians.opacities, atol=1e-6)
    for axis in range(3):
        assert torch.allclose(column[f"scale_{axis}"].exp(), gaussians.scales[:, axis])
    assert torch.equal(torch.stack([column[f"rot_{i}"] for i in range(4)], 1), gaussians.quats)
    assert column["nx"].abs().max() == 0


def test_extreme_values_stay_finite_at_both_ends(tmp_path: Path):
    gaussians = Gaussians(
        means=torch.zeros(4, 3),
        scales=torch.tensor([[1e-45, 1e-30, 1.0], [1e38, 1e10, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),
        quats=torch.tensor([[1.0, 0, 0, 0]]).expand(4, 4),
        opacities=torch.tensor([0.0, 1.0, 1e-30, 1 - 6e-8]),
        sh=torch.zeros(4, 1, 3),
    )
    write_ply(tmp_path / "x.ply", gaussians)
    (vertex,) = PlyData.read(str(tmp_path / "x.ply")).elements
    assert all(np.isfinite(vertex[name]).all() for name in NAMES)
    again = read_ply(tmp_path / "x.ply")
    assert torch.allclose(again.opacities, gaussians.opacities, atol=1e-6)
    assert torch.allclose(again.scales[2:], gaussians.scales[2:])
    write_ply(tmp_path / "y.ply", again)
    assert_close(read_ply(tmp_path / "y.ply"), again)


def test_files_of_other_programs(tmp_path: Path):
    """Other order, no normals, quaternions of any length, scales of zero, a further column, a comment."""
    names = ["opacity", *(f"rot_{i}" for i in range(4)), *(f"scale_{i}" for i in range(3)), "z", "y", "x"]
    names += ["f_dc_0", "f_dc_1", "f_dc_2", "segment"]
    row = np.array([(0, 2, 0, 0, 0, -np.inf, 0, 0, 3, 2, 1, 0.1, 0.2, 0.3, 9)], dtype=[(n, "<f4") for n in names])
    header = "ply\nformat binary_little_endian 1.0\ncomment made elsewhere\nelement vertex 1\n"
    header += "".join(f"property float {n}\n" for n in names) + "end_header\n"
    (tmp_path / "x.ply").write_bytes(header.encode() + row.tobytes())
    gaussians = read_ply(tmp_path / "x.ply")
    assert gaussians.means.tolist() == [[1, 2, 3]]
    assert gaussians.quats.tolist() == [[1, 0, 0, 0]]
    assert gaussians.opacities.tolist() == [0.5]
    assert torch.allclose(gaussians.sh[0, 0], torch.tensor([0.1, 0.2, 0.3]))
    assert 0 < float(gaussians.scales[0, 0]) < 1e-20


def test_columns_of_other_types_and_further_elements_are_ignored(tmp_path: Path):
    write_ply(tmp_path / "x.ply", random_gaussians(3, 4))
    vertex = PlyData.read(str(tmp_path / "x.ply"))["vertex"].data
    columns = [("label", "u1"), *vertex.dtype.descr, ("time", "<f8")]
    wider = np.zeros(3, columns)
    for name in vertex.dtype.names:
        wider[name] = vertex[name]
    camera = PlyElement.describe(np.zeros(16, [("intrinsic", "<f4")]), "camera")
    version = PlyElement.describe(np.ones(1, [("version", "u1")]), "version")
    elements = [camera, PlyElement.describe(wider, "vertex"), version]
    PlyData(elements, byte_order="<", comments=["made elsewhere"]).write(str(tmp_path / "y.ply"))
    a, b = read_ply(tmp_path / "x.ply"), read_ply(tmp_path / "y.ply")
    assert all(torch.equal(getattr(a, name), getattr(b, name)) for name in vars(a))


def written(tmp_path: Path, num: int = 3) -> bytes:
    write_ply(tmp_path / "good.ply", random_gaussians(num, 1))
    return (tmp_path / "good.ply").read_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"ply\n", b"plx\n"),
        (b"binary_little_endian", b"binary_big_endian"),
        (b"binary_little_endian", b"ascii"),
        (b"element vertex 3", b"element vertex 4"),
        (b"element vertex 3", b"element vertex 2"),
        (b"element vertex 3", b"element vertex -3"),
        (b"element vertex 3", b"element vertex 999999999999999"),
        (b"element vertex 3", b"element face 3"),
        (b"element vertex 3", b"element vertex 3\nelement face 0"),
        (b"property float x", b"property double x"),
        (b"property float x", b"property list uchar int x"),
        (b"property float x", b"property float y"),
        (b"property float opacity", b"property float opaque_"),
        (b"property float f_dc_1", b"property float f_rest_0"),
        (b"end_header", b"end_headed"),
    ],
)
def test_other_headers_are_refused(old: bytes, new: bytes, tmp_path: Path):
    content = written(tmp_path)
    assert old in content
    (tmp_path / "bad.ply").write_bytes(content.replace(old, new, 1))
    with pytest.raises(FormatError, match=r"bad\.ply"):
        read_ply(tmp_path / "bad.ply")


@pytest.mark.parametrize("content", [b"", b"ply", b"ply\nend_header\n", b"\x89PNG", b"ply\n" + b"comment x\n" * 9000])
def test_other_files_are_refused(content: bytes, tmp_path: Path):
    (tmp_path / "bad.ply").write_bytes(content)
    with pytest.raises(FormatError):
        read_ply(tmp_path / "bad.ply")


def test_length_must_fit_the_header(tmp_path: Path):
    content = written(tmp_path)
    for wrong in (content[:-1], content + b"\0"):
        (tmp_path / "bad.ply").write_bytes(wrong)
        with pytest.raises(FormatError, match="header promises"):
            read_ply(tmp_path / "bad.ply")


def test_limits_and_missing_file(tmp_path: Path):
    written(tmp_path)
    with pytest.raises(LimitError, match="3 Gaussians, at most 2"):
        read_ply(tmp_path / "good.ply", limits=Limits(max_gaussians=2))
    with pytest.raises(InputError, match="cannot be read"):
        read_ply(tmp_path / "none.ply")


@pytest.mark.parametrize(
    ("column", "value"), [("x", np.nan), ("f_dc_0", np.inf), ("opacity", np.nan), ("rot_1", np.nan)]
)
def test_non_finite_values_are_refused(column: str, value: float, tmp_path: Path):
    content = bytearray(written(tmp_path))
    table = np.frombuffer(content, "<f4", offset=content.index(b"end_header\n") + 11).reshape(3, 17)
    table[1, NAMES.index(column)] = value
    (tmp_path / "bad.ply").write_bytes(content)
    with pytest.raises(GeometryError, match="NaN"):
        read_ply(tmp_path / "bad.ply")


def test_zero_rotation_is_refused(tmp_path: Path):
    content = bytearray(written(tmp_path))
    np.frombuffer(content, "<f4", offset=content.index(b"end_header\n") + 11).reshape(3, 17)[2, 13:] = 0
    (tmp_path / "bad.ply").write_bytes(content)
    with pytest.raises(GeometryError, match="rotation of Gaussian 2 is zero"):
        read_ply(tmp_path / "bad.ply")


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_raise_only_typed_errors(data: st.DataObject, tmp_path: Path):
    content = bytearray(written(tmp_path))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "bad.ply").write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        read_ply(tmp_path / "bad.ply").validate()
    except ReconError:
        return


def test_gaussians_that_no_file_can_hold(tmp_path: Path):
    good = random_gaussians(2, 1)
    fields = (good.scales, good.quats, good.opacities, good.sh)
    with pytest.raises(ExportError, match="single precision"):
        write_ply(tmp_path / "x.ply", Gaussians(torch.full((2, 3), 1e300, dtype=torch.float64), *fields))
    with pytest.raises(GeometryError):
        write_ply(tmp_path / "x.ply", Gaussians(torch.full((2, 3), torch.nan), *fields))
    assert list(tmp_path.iterdir()) == []


def test_the_header_is_the_documented_one(tmp_path: Path):
    lines = io.BytesIO(written(tmp_path)).read().split(b"end_header\n")[0].decode().splitlines()
    assert lines[:3] == ["ply", "format binary_little_endian 1.0", "element vertex 3"]
    assert lines[3:] == [f"property float {name}" for name in NAMES]
