"""Models written by us and read by COLMAP, and the other way round."""

from pathlib import Path

import numpy as np
import pycolmap
import pytest
import torch

from recon.errors import ExportError, FormatError, GeometryError, InputError, LimitError, ReconError
from recon.io.colmap import ColmapModel, find_model, model_of_cameras, read_model, write_model
from recon.io.limits import Limits
from recon.types import Cameras

POINTS = torch.tensor([[0.1, -0.2, 3.0], [1e6, 2.0, -1e-7]])
COLORS = torch.tensor([[255, 0, 7], [1, 2, 3]], dtype=torch.uint8)
NAMES = ["a.jpg", "sub-folder/b-ü.png"]


def two_cameras() -> Cameras:
    cam_from_world = torch.eye(4).repeat(2, 1, 1)
    cam_from_world[1, :3, :3] = torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    cam_from_world[1, :3, 3] = torch.tensor([0.5, -0.25, 2])
    K = torch.tensor([[300.0, 0, 161.5], [0, 310, 119.25], [0, 0, 1]]).repeat(2, 1, 1)
    return Cameras(cam_from_world, K, torch.tensor([[320, 240]]).repeat(2, 1))


@pytest.fixture
def model() -> ColmapModel:
    return model_of_cameras(two_cameras(), NAMES, POINTS, COLORS)


@pytest.mark.parametrize("binary", [True, False])
def test_what_is_written_is_read(binary: bool, model: ColmapModel, tmp_path: Path):
    files = write_model(tmp_path, model, binary=binary)
    again = read_model(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in files)
    assert (again.cameras, again.images) == (model.cameras, model.images)
    assert np.array_equal(again.points, model.points)
    assert np.array_equal(again.colors, model.colors)


@pytest.mark.parametrize("binary", [True, False])
def test_colmap_reads_what_we_write(binary: bool, model: ColmapModel, tmp_path: Path):
    write_model(tmp_path, model, binary=binary)
    theirs = pycolmap.Reconstruction(tmp_path)
    cameras = two_cameras()
    assert sorted(image.name for image in theirs.images.values()) == sorted(NAMES)
    for i, name in enumerate(NAMES):
        image = theirs.find_image_with_name(name)
        assert image is not None
        assert np.allclose(image.cam_from_world().matrix(), cameras.cam_from_world[i, :3], atol=1e-7)
        assert np.allclose(image.camera.calibration_matrix(), cameras.K[i])
        assert (image.camera.width, image.camera.height) == (320, 240)
    assert len(theirs.cameras) == 1  # equal lenses are shared
    for point, color in zip(POINTS, COLORS, strict=True):
        found = min(theirs.points3D.values(), key=lambda p: float(np.abs(p.xyz - point.numpy()).max()))
        assert np.allclose(found.xyz, point, rtol=1e-6)
        assert found.color.tolist() == color.tolist()


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("name", ["SIMPLE_RADIAL", "FULL_OPENCV", "EUCM", "EQUIRECTANGULAR", "OPENCV_FISHEYE"])
def test_we_read_what_colmap_writes(name: str, binary: bool, tmp_path: Path):
    """A synthetic reconstruction of COLMAP's own, with observations, tracks, and files for rigs and frames."""
    options = pycolmap.SyntheticDatasetOptions(num_frames_per_rig=3, num_points3D=20)
    theirs = pycolmap.synthesize_dataset(options)
    camera = pycolmap.Camera.create_from_model_name(1, name, 300.0, 640, 480)
    number = next(iter(theirs.cameras))
    camera.camera_id = number
    theirs.cameras[number] = camera
    theirs.write_binary(tmp_path) if binary else theirs.write_text(tmp_path)
    assert (tmp_path / ("rigs.bin" if binary else "rigs.txt")).exists()
    ours = read_model(tmp_path)
    assert ours.cameras[number].model == name
    assert np.allclose(ours.cameras[number].parameters, camera.params)
    assert sorted(ours.images) == sorted(theirs.images.keys())
    for key, image in theirs.images.items():
        x, y, z, w = image.cam_from_world().rotation.quat
        assert np.allclose(ours.images[key].quaternion, (w, x, y, z))
        assert np.allclose(ours.images[key].translation, image.cam_from_world().translation)
        assert (ours.images[key].name, ours.images[key].camera_id) == (image.name, image.camera_id)
    expected = sorted((*p.xyz, *p.color) for p in theirs.points3D.values())
    found = sorted((*p, *c) for p, c in zip(ours.points.tolist(), ours.colors.tolist(), strict=True))
    assert np.allclose(found, expected)


def test_places_of_a_model(model: ColmapModel, tmp_path: Path):
    assert find_model(tmp_path) is None
    inner = tmp_path / "sparse" / "0"
    inner.mkdir(parents=True)
    write_model(inner, model, binary=False)
    for named in (tmp_path, tmp_path / "sparse", inner):
        found = find_model(named)
        assert found is not None
        assert found.resolve() == inner
    with pytest.raises(FormatError, match="no cameras and images"):
        read_model(tmp_path)


def test_binary_comes_before_text_and_points_may_be_absent(model: ColmapModel, tmp_path: Path):
    write_model(tmp_path, model)
    (tmp_path / "cameras.txt").write_text("words")
    (tmp_path / "images.txt").write_text("words")
    (tmp_path / "points3D.bin").unlink()
    assert len(read_model(tmp_path).points) == 0


CAMERA_LINE = "1 PINHOLE 320 240 300 310 160 120\n"
IMAGE_LINES = "1 1 0 0 0 0 0 0 1 a.jpg\n\n"


@pytest.mark.parametrize(
    ("file", "text", "kind", "message"),
    [
        ("cameras", "1 PINHOLE 320 240 300 310 160\n", FormatError, r"line 1.*3 parameters, expected 4"),
        ("cameras", "1 PINHALL 320 240 300 310 160 1\n", FormatError, "PINHALL"),
        ("cameras", "1 PINHOLE\n", FormatError, "2 words"),
        ("cameras", "-1 PINHOLE 320 240 300 310 160 120\n", FormatError, "whole number"),
        ("cameras", f"{'9' * 5000} PINHOLE 320 240 300 310 160 120\n", FormatError, "whole number"),
        ("cameras", "1 PINHOLE 320 240 wide 310 160 120\n", FormatError, "wide"),
        ("cameras", "# nothing\n", FormatError, "camera 1, which the model does not hold"),
        ("images", "", FormatError, "no image"),
        ("images", "1 1 0 0 0 0 0 0 1\n\n", FormatError, r"line 1: 9 words"),
        ("images", "1 1 0 0 0 0 0 0 1 a.jpg\n2 1 0 0 0 0 0 0 1 b.jpg\n", FormatError, "line 2.*observation"),
        ("images", "1 1 0 0 0 nan 0 0 1 a.jpg\n\n", GeometryError, "a.jpg.*NaN"),
        ("images", "1 2 0 0 0 0 0 0 1 a.jpg\n\n", GeometryError, "length 2"),
        ("images", "1 0 0 0 0 0 0 0 1 a.jpg\n\n", GeometryError, "length 0"),
        ("points3D", "1 0 0 inf 1 2 3 0\n", GeometryError, "1 of 1 points"),
        ("points3D", "1 0 0 0 1 2 256 0\n", FormatError, "colour is 256"),
        ("points3D", "1 0 0 0 1 2\n", FormatError, "6 words"),
    ],
)
def test_text_that_is_wrong_names_its_line(file: str, text: str, kind: type[ReconError], message: str, tmp_path: Path):
    files = {"cameras": CAMERA_LINE, "images": IMAGE_LINES, "points3D": ""} | {file: text}
    for name, content in files.items():
        (tmp_path / f"{name}.txt").write_text(content)
    with pytest.raises(kind, match=message):
        read_model(tmp_path)


def test_comments_blanks_and_a_missing_last_line_are_fine(tmp_path: Path):
    (tmp_path / "cameras.txt").write_text(f"\ufeff# cameras\n\n{CAMERA_LINE}", encoding="utf-8")
    (tmp_path / "images.txt").write_text(
        "# images\n\n1 1 0 0 0 0 0 0 1 with blanks .jpg \n1 2 -1 3 4 -1\n" + "2" + IMAGE_LINES[1:-1]
    )
    assert [image.name for image in read_model(tmp_path).images.values()] == ["with blanks .jpg", "a.jpg"]


@pytest.mark.parametrize("file", ["cameras.bin", "images.bin", "points3D.bin"])
def test_cut_lengthened_and_lying_binary_files(file: str, model: ColmapModel, tmp_path: Path):
    """Every length but the right one is refused, and a count that the file has no room for costs no memory."""
    write_model(tmp_path, model)
    path = tmp_path / file
    good = path.read_bytes()
    bad = []
    variants = [good[:n] for n in range(len(good))] + [good + b"\0", (2**63).to_bytes(8, "little") + good[8:]]
    for content in variants:
        path.write_bytes(content)
        try:
            read_model(tmp_path)
        except InputError:
            continue
        bad.append(content)
    assert bad == []


@pytest.mark.parametrize("file", ["cameras.bin", "images.bin", "points3D.bin"])
def test_flipped_bytes_raise_only_typed_errors(file: str, model: ColmapModel, tmp_path: Path):
    write_model(tmp_path, model)
    good = (tmp_path / file).read_bytes()
    random = np.random.default_rng(0)
    for _ in range(300):
        content = bytearray(good)
        for place in random.integers(0, len(good), 3):
            content[place] = random.integers(0, 256)
        (tmp_path / file).write_bytes(content)
        try:
            read_model(tmp_path)
        except ReconError:
            continue


def test_limits(model: ColmapModel, tmp_path: Path):
    for binary in (True, False):
        folder = tmp_path / str(binary)
        folder.mkdir()
        write_model(folder, model, binary=binary)
        with pytest.raises(LimitError, match="points"):
            read_model(folder, limits=Limits(max_sparse_points=1))
        with pytest.raises(LimitError, match="bytes"):
            read_model(folder, limits=Limits(max_model_bytes=10))


@pytest.mark.parametrize("names", [["a"], ["a", "a"], ["a", ""], ["a", "b\nc"], ["a", " b"]])
def test_names_that_no_model_can_hold(names: list[str]):
    with pytest.raises(ExportError):
        model_of_cameras(two_cameras(), names)


def test_blanks_in_names_need_the_binary_form(tmp_path: Path):
    model = model_of_cameras(two_cameras(), ["a b.jpg", "c.jpg"])
    with pytest.raises(ExportError, match="a b"):
        write_model(tmp_path, model, binary=False)
    assert list(tmp_path.iterdir()) == []
    write_model(tmp_path, model)
    assert sorted(image.name for image in pycolmap.Reconstruction(tmp_path).images.values()) == ["a b.jpg", "c.jpg"]


def test_points_without_colours_are_grey():
    model = model_of_cameras(two_cameras(), NAMES, POINTS)
    assert (model.colors == 128).all()
