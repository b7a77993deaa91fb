import gzip
import math
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import zstandard

from recon.errors import ExportError, FormatError
from recon.io.splats.files import read_gaussians, write_gaussians
from recon.io.splats.spz import spz_header
from recon.io.splats.spz_rotations import pack_smallest_three, unpack_smallest_three
from recon.metrics.gaussians import largest_errors
from recon.types import Gaussians


def header(num: int = 1, *, magic: bytes = b"NGSP", version: int = 3, degree: int = 0, bits: int = 12, flags: int = 0):
    return magic + struct.pack("<IIBBBB", version, num, degree, bits, flags, 0)


BODY = struct.pack("<i", 3 << 12)[:3] + struct.pack("<i", -(1 << 11))[:3] + bytes(3)  # centre (3, -0.5, 0)
BODY += bytes([51, 0, 255, 128, 160, 144, 144])  # opacity 0.2, colour, scale e^0 e^-1 e^-1
ROTATION_2 = bytes([255, 128, 128])  # x = 1
ROTATION_3 = struct.pack("<I", 0)  # index 0 is the largest: x = 1


@pytest.mark.parametrize(("version", "rotation"), [(2, ROTATION_2), (3, ROTATION_3)])
def test_bytes_made_by_hand_are_read(version: int, rotation: bytes, tmp_path: Path):
    (tmp_path / "x.spz").write_bytes(gzip.compress(header(version=version) + BODY + rotation))
    g = read_gaussians(tmp_path / "x.spz")
    assert g.means.tolist() == [[3, 0.5, 0]]  # up and backward in the file, down and forward here
    assert g.scales[0].tolist() == pytest.approx([1, math.exp(-1), math.exp(-1)])
    assert g.quats[0].abs().tolist() == pytest.approx([0, 1, 0, 0], abs=0.006)
    assert g.opacities.tolist() == pytest.approx([0.2])
    assert g.sh[0, 0].tolist() == pytest.approx([-0.5 / 0.15, 0.5 / 0.15, 0.5 / 255 / 0.15], abs=1e-6)


@pytest.mark.parametrize("name", ["spz3.spz", "spz4.spz"])
def test_files_of_another_program_are_read(name: str, fixtures: Path):
    """Written by splat-transform 2.7.1 with the library of Niantic and Adobe, which keeps 5 and 4 bits of harmonics."""
    source = read_gaussians(fixtures / "splat_transform" / "source.ply")
    errors = largest_errors(read_gaussians(fixtures / "splat_transform" / name), source)
    bounds = {"means": 2**-13, "scales": 0.032, "rotation_deg": 0.3, "opacities": 0.002, "sh": 1 / 16 + 1 / 256}
    assert {field: error for field, error in errors.items() if error > bounds[field] * 1.01} == {}


def test_smallest_three_covers_every_largest_component_and_sign():
    quats = torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
    quats = torch.nn.functional.normalize(torch.cat([quats, torch.eye(4), -torch.eye(4)]), dim=1).numpy()
    again = unpack_smallest_three(pack_smallest_three(quats))
    same = np.abs((again * quats).sum(1))
    assert np.linalg.norm(again, axis=1) == pytest.approx(1)
    assert same.min() > math.cos(math.radians(0.3 / 2))


@pytest.mark.parametrize(("largest", "bits"), [(1.0, 20), (7.9, 20), (8.1, 19), (4000.0, 11), (8e6, 0)])
def test_the_fraction_takes_what_the_largest_coordinate_leaves(
    largest: float, bits: int, tmp_path: Path, make_gaussians: Callable[..., Gaussians]
):
    gaussians = make_gaussians(3, 0)
    gaussians.means[:] = torch.tensor([[largest, -largest, 0], [0.1, 0.2, 0.3], [-largest / 3, 0, 0]])
    write_gaussians(tmp_path / "x.spz", gaussians)
    assert spz_header(tmp_path / "x.spz").fractional_bits == bits
    error = (read_gaussians(tmp_path / "x.spz").means - gaussians.means).abs().max()
    assert float(error) <= 0.5 * 2.0**-bits + largest * 1e-7


def test_coordinates_beyond_the_fixed_point_are_refused(tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    gaussians = make_gaussians(1, 0)
    gaussians.means[0, 0] = 2.0**23
    with pytest.raises(ExportError, match="does not fit SPZ"):
        write_gaussians(tmp_path / "x.spz", gaussians)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header(version=1) + BODY + ROTATION_3, "version 1"),
        (header(version=5) + BODY + ROTATION_3, "version 5"),
        (header(magic=b"NGSQ") + BODY + ROTATION_3, "NGSQ"),
        (header(degree=4) + BODY + ROTATION_3 + bytes(72), "degree 4"),
        (header(bits=31) + BODY + ROTATION_3, "31 fractional bits"),
        (header(flags=2) + BODY + ROTATION_3, "extensions"),
        (header(num=2) + BODY + ROTATION_3, "too early"),
        (header(num=0) + BODY, "longer"),
        (header() + BODY + ROTATION_3 + b"\0", "longer"),
        (header()[:10], "too early"),
    ],
)
def test_what_does_not_fit_the_header_is_refused(content: bytes, message: str, tmp_path: Path):
    (tmp_path / "x.spz").write_bytes(gzip.compress(content))
    with pytest.raises(FormatError, match=message):
        read_gaussians(tmp_path / "x.spz")


def test_a_stream_that_unfolds_to_much_more_than_promised_is_not_unfolded(tmp_path: Path):
    bomb = gzip.compress(header() + BODY + ROTATION_3 + bytes(50_000_000), compresslevel=1)
    assert len(bomb) < 1_000_000
    (tmp_path / "x.spz").write_bytes(bomb)
    with pytest.raises(FormatError, match="longer"):
        read_gaussians(tmp_path / "x.spz")


ZSTD = zstandard.ZstdCompressor()


def version_4(tables: list[bytes], *, num: int = 1, start: int = 32, claimed: dict[int, int] | None = None) -> bytes:
    """A file of degree 0; `claimed` overrides real lengths of tables."""
    packed = [ZSTD.compress(table) for table in tables]
    lengths = [
        struct.pack("<QQ", len(p), (claimed or {}).get(i, len(t)))
        for i, (p, t) in enumerate(zip(packed, tables, strict=True))
    ]
    head = b"NGSP" + struct.pack("<IIBBBBI12x", 4, num, 0, 12, 0, len(tables), start)
    return head + b"".join(lengths) + b"".join(packed)


TABLES = [BODY[:9], BODY[9:10], BODY[10:13], BODY[13:], ROTATION_3]


def test_version_4_holds_the_same_tables(tmp_path: Path):
    (tmp_path / "a.spz").write_bytes(gzip.compress(header() + BODY + ROTATION_3))
    (tmp_path / "b.spz").write_bytes(version_4(TABLES))
    a, b = read_gaussians(tmp_path / "a.spz"), read_gaussians(tmp_path / "b.spz")
    assert all(torch.equal(getattr(a, name), getattr(b, name)) for name in vars(a))
    assert spz_header(tmp_path / "b.spz").version == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (version_4(TABLES)[:20], "too short"),
        (version_4(TABLES)[:-1], "another length"),
        (version_4(TABLES) + b"0", "another length"),
        (version_4(TABLES, start=0), "beyond"),
        (version_4(TABLES, start=2**32 - 1), "beyond"),
        (version_4(TABLES, num=2), "expected 18"),
        (version_4(TABLES[:4]), "expected 4"),
        (version_4([*TABLES, b"more"]), "1 tables more"),
        (version_4([TABLES[0], bytes(50_000_000), *TABLES[2:]], claimed={1: 1}), "unfolds to 2 bytes or more"),
        (version_4([TABLES[0], b"", *TABLES[2:]], claimed={1: 1}), "unfolds to 0"),
        (version_4(TABLES).replace(b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfc"), "damaged"),
        (version_4(TABLES).replace(b"NGSP\4", b"NGSP\3"), "version 3"),
    ],
)
def test_what_does_not_fit_version_4_is_refused(content: bytes, message: str, tmp_path: Path):
    (tmp_path / "x.spz").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_gaussians(tmp_path / "x.spz")


def test_bytes_after_the_stream_are_refused(tmp_path: Path):
    (tmp_path / "x.spz").write_bytes(gzip.compress(header() + BODY + ROTATION_3) + b"more")
    with pytest.raises(FormatError, match="longer"):
        read_gaussians(tmp_path / "x.spz")
