from pathlib import Path

import numpy as np
import pytest
import torch
from plyfile import PlyData, PlyElement

from recon.errors import FormatError, ReconError
from recon.io.splats.ply import read_ply
from recon.metrics.gaussians import largest_errors
from recon.types import Gaussians


@pytest.fixture
def packed(fixtures: Path) -> Path:
    return fixtures / "splat_transform" / "packed.compressed.ply"


def in_the_order_of(gaussians: Gaussians, other: Gaussians) -> Gaussians:
    return gaussians[torch.cdist(other.means, gaussians.means).argmin(1)]


def test_a_file_of_another_program_is_read(packed: Path, fixtures: Path):
    """Written by splat-transform 2.7.1; bounds are half a step of each field, the extent being about 4 units."""
    source, read = read_ply(fixtures / "splat_transform" / "source.ply"), read_ply(packed)
    errors = largest_errors(read, in_the_order_of(source, read))
    bounds = {"means": 0.005, "scales": 0.005, "rotation_deg": 0.3, "opacities": 0.002, "sh": 0.016}
    assert {field: error for field, error in errors.items() if error > bounds[field]} == {}


def test_chunks_of_256_and_files_without_bounds_of_colour(tmp_path: Path):
    bounds = [(f"{end}_{axis}", "f4") for end in ("min", "max") for axis in ("x", "y", "z")]
    bounds += [(f"{end}_scale_{axis}", "f4") for end in ("min", "max") for axis in ("x", "y", "z")]
    chunk = np.zeros(2, bounds)
    chunk["max_x"], chunk["min_y"], chunk["max_y"] = [1, 10], [-1, 3], [1, 3]
    vertex = np.zeros(257, [(f"packed_{name}", "u4") for name in ("position", "rotation", "scale", "color")])
    vertex["packed_position"] = (2047 << 21) | (1023 << 11)  # largest x, largest y, smallest z
    vertex["packed_rotation"] = (512 << 20) | (512 << 10) | 512  # w the largest, others nearly zero
    vertex["packed_color"] = 0xFF0080CC
    elements = [PlyElement.describe(chunk, "chunk"), PlyElement.describe(vertex, "vertex")]
    PlyData(elements, byte_order="<").write(str(tmp_path / "x.compressed.ply"))
    gaussians = read_ply(tmp_path / "x.compressed.ply")
    assert gaussians.means[[0, 255, 256]].tolist() == [[1, 1, 0], [1, 1, 0], [10, 3, 0]]
    assert torch.allclose(gaussians.quats, torch.tensor([1.0, 0, 0, 0]), atol=2e-3)
    assert gaussians.scales.unique().tolist() == [1]
    assert torch.allclose(0.28209479 * gaussians.sh[0, 0] + 0.5, torch.tensor([1.0, 0, 128 / 255]), atol=1e-6)
    assert float(gaussians.opacities[0]) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"element chunk 1", b"element chunk 2"),
        (b"element chunk 1", b"element chunk 0"),
        (b"float min_scale_x", b"float men_scale_x"),
        (b"uint packed_scale", b"uint picked_scale"),
        (b"uint packed_scale", b"int packed_scale"),
        (b"element sh 6", b"element sh 5"),
        (b"uchar f_rest_3\n", b"uchar f_rest_x\n"),
        (b"uchar f_rest_3\n", b"char f_rest_3\n"),
        (b"property uchar f_rest_23\n", b""),
    ],
)
def test_elements_that_do_not_fit_are_refused(old: bytes, new: bytes, packed: Path, tmp_path: Path):
    content = packed.read_bytes()
    assert old in content
    (tmp_path / "bad.ply").write_bytes(content.replace(old, new, 1))
    with pytest.raises(FormatError, match=r"bad\.ply"):
        read_ply(tmp_path / "bad.ply")


def test_bounds_that_are_not_finite_are_found(packed: Path, tmp_path: Path):
    content = bytearray(packed.read_bytes())
    start = content.index(b"end_header\n") + 11
    content[start : start + 4] = np.float32(np.nan).tobytes()
    (tmp_path / "bad.ply").write_bytes(content)
    with pytest.raises(ReconError, match="NaN"):
        read_ply(tmp_path / "bad.ply")
