"""What holds for every format of Gaussians."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recon.errors import ExportError, FormatError, GeometryError, InputError, LimitError, ReconError
from recon.geometry.clean import finite_only
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.splats.files import FORMATS, gaussians_in, read_gaussians, write_gaussians
from recon.metrics.gaussians import largest_errors
from recon.types import Gaussians

SUFFIXES = sorted(FORMATS)
NOTHING = {"means": 0.0, "scales": 1e-6, "rotation_deg": 1e-4, "opacities": 1e-6, "sh": 0.0}
# Half a step of each quantised value; scales of SPZ are half of 1/16 in the logarithm.
BOUNDS = {
    ".ply": NOTHING,
    ".glb": NOTHING,
    ".splat": NOTHING | {"rotation_deg": 1.0, "opacities": 0.5 / 255 + 1e-6, "sh": 0.5 / 255 / 0.28209 + 1e-6},
    ".spz": {
        "means": 2.0**-20,
        "scales": math.exp(1 / 32) - 1 + 1e-5,
        "rotation_deg": 0.3,
        "opacities": 0.5 / 255 + 1e-6,
        "sh": 0.5 / 255 / 0.15 + 1e-6,
    },
}
SMALL = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("suffix", SUFFIXES)
@SMALL
@given(num=st.integers(1, 20), degree=st.integers(0, 3), seed=st.integers(0, 1000))
@example(num=1, degree=0, seed=0)
@example(num=20, degree=3, seed=0)
def test_what_is_written_is_read(
    suffix: str, num: int, degree: int, seed: int, tmp_path: Path, make_gaussians: Callable[..., Gaussians]
):
    gaussians = make_gaussians(num, 0 if suffix == ".splat" else degree, seed)
    path = tmp_path / f"x{suffix}"
    write_gaussians(path, gaussians)
    errors = largest_errors(read_gaussians(path), FORMATS[suffix].arranged(gaussians))
    assert {name: value for name, value in errors.items() if value > BOUNDS[suffix][name]} == {}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_scenes_give_equal_bytes(suffix: str, tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    for name in ("a", "b"):
        write_gaussians(tmp_path / f"{name}{suffix}", make_gaussians(50, 1))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".ply", ".spz"])
def test_no_gaussians_make_a_valid_file(suffix: str, tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    write_gaussians(tmp_path / f"x{suffix}", make_gaussians(0, 2))
    again = read_gaussians(tmp_path / f"x{suffix}")
    assert (len(again), again.sh_degree) == (0, 2)


@pytest.mark.parametrize("suffix", [".splat", ".glb"])
def test_formats_without_a_form_for_nothing_say_so(
    suffix: str, tmp_path: Path, make_gaussians: Callable[..., Gaussians]
):
    with pytest.raises(ExportError, match="no Gaussians"):
        write_gaussians(tmp_path / f"x{suffix}", make_gaussians(0, 0))
    assert list(tmp_path.iterdir()) == []


FLOATS = st.floats(width=32) | st.sampled_from([0.0, 1.0, -1.0, 1e-45, 1e30, math.nan, math.inf])
ROWS = st.lists(st.tuples(*[FLOATS] * 14), max_size=3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@SMALL
@given(rows=ROWS)
@example(rows=[])
@example(rows=[(math.nan,) * 14])
@example(rows=[(0.0,) * 14])
@example(rows=[(0.0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)])
@example(rows=[(0.0, 0, 0, 1e-40, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0)] * 3)
def test_no_file_ever_holds_a_value_that_is_not_finite(suffix: str, rows: list[tuple[float, ...]], tmp_path: Path):
    """As they are, such Gaussians are refused; what `finite_only` leaves of them is written, or refused by name."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 14)
    anything = Gaussians(table[:, :3], table[:, 3:6], table[:, 6:10], table[:, 10], table[:, None, 11:])
    for index, gaussians in enumerate((anything, finite_only(anything)[0])):
        path = tmp_path / f"{index}{suffix}"
        path.unlink(missing_ok=True)
        try:
            write_gaussians(path, gaussians)
        except (GeometryError, ExportError):
            assert not path.exists()
        else:
            assert len(read_gaussians(path)) == len(gaussians)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("field", ["means", "scales", "quats", "opacities", "sh"])
def test_invalid_gaussians_are_refused_and_leave_no_file(
    suffix: str, field: str, tmp_path: Path, make_gaussians: Callable[..., Gaussians]
):
    gaussians = make_gaussians(3, 1)
    getattr(gaussians, field)[1] = math.nan
    with pytest.raises(GeometryError):
        write_gaussians(tmp_path / f"x{suffix}", gaussians)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_gaussians_of_double_precision_that_need_gradients_are_written(
    suffix: str, tmp_path: Path, make_gaussians: Callable[..., Gaussians]
):
    single = make_gaussians(3, 0)
    double = Gaussians(*(getattr(single, name).double().requires_grad_() for name in vars(single)))
    for name, gaussians in (("a", single), ("b", double)):
        write_gaussians(tmp_path / f"{name}{suffix}", gaussians)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_limits_hold_before_anything_is_read(
    suffix: str, tmp_path: Path, make_gaussians: Callable[..., Gaussians], monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / f"x{suffix}"
    write_gaussians(path, make_gaussians(3, 0))
    assert len(read_gaussians(path, limits=Limits(max_gaussians=3))) == 3
    monkeypatch.setattr(np, "frombuffer", None)
    with pytest.raises(LimitError, match="3 Gaussians, at most 2"):
        read_gaussians(path, limits=Limits(max_gaussians=2))


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_raise_only_typed_errors(
    suffix: str, data: st.DataObject, tmp_path: Path, make_gaussians: Callable[..., Gaussians]
):
    path = tmp_path / f"x{suffix}"
    write_gaussians(path, make_gaussians(3, 1))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        read_gaussians(path).validate()
    except ReconError:
        return


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"\0", b"\x1f\x8b", b"glTF" + bytes(16), b"\xff" * 33])
def test_other_files_are_refused(suffix: str, content: bytes, tmp_path: Path):
    (tmp_path / f"x{suffix}").write_bytes(content)
    with pytest.raises(FormatError, match=f"x{suffix}"):
        read_gaussians(tmp_path / f"x{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_files_and_folders_are_named(suffix: str, tmp_path: Path):
    (tmp_path / f"folder{suffix}").mkdir()
    for name in ("none", "folder"):
        with pytest.raises(InputError, match=f"{name}{suffix}"):
            read_gaussians(tmp_path / f"{name}{suffix}")


@pytest.mark.parametrize("name", ["x.obj", "x", "ply", "x.ply.gz"])
def test_other_suffixes_are_refused(name: str, tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    with pytest.raises(InputError, match="names no format"):
        write_gaussians(tmp_path / name, make_gaussians(1, 0))
    with pytest.raises(InputError, match="names no format"):
        read_gaussians(tmp_path / name)


def test_suffixes_may_be_in_capitals(tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    write_gaussians(tmp_path / "x.PLY", make_gaussians(2, 0))
    assert len(read_gaussians(tmp_path / "x.PLY")) == 2


def test_compressed_ply_is_not_written_under_a_false_name(tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    with pytest.raises(InputError, match="only read"):
        write_gaussians(tmp_path / "x.compressed.ply", make_gaussians(1, 0))


def test_of_a_scene_folder_the_most_exact_file_is_taken(tmp_path: Path):
    with pytest.raises(InputError, match=r"gaussians\.ply"):
        gaussians_in(tmp_path)
    for name in ("gaussians.splat", "gaussians.spz", "gaussians.ply"):
        (tmp_path / name).touch()
        assert gaussians_in(tmp_path) == tmp_path / name


def test_values_that_mean_nothing_are_decoded_but_not_read(tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    write_gaussians(tmp_path / "x.splat", make_gaussians(2, 0))
    content = bytearray((tmp_path / "x.splat").read_bytes())
    content[12:16] = np.float32(np.nan).tobytes()
    content[60:64] = bytes([128] * 4)
    (tmp_path / "x.splat").write_bytes(content)
    with pytest.raises(GeometryError, match=r"x\.splat"):
        read_gaussians(tmp_path / "x.splat")
    assert finite_only(FORMATS[".splat"].decode(tmp_path / "x.splat", DEFAULT_LIMITS))[1] == 2
