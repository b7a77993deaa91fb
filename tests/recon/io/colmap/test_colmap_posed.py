"""Photographs with the cameras of a COLMAP model."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from recon.errors import FormatError, GeometryError, InputError, LimitError
from recon.io.colmap import ColmapCamera, ColmapImage, ColmapModel, load_colmap_images, read_colmap, write_model
from recon.io.limits import Limits

SIZE = (80, 60)


def project_with(
    folder: Path,
    camera: ColmapCamera | None = None,
    names: tuple[str, ...] = ("1.png", "2.png", "10.png"),
    orientation: int = 1,
    size: tuple[int, int] = SIZE,
) -> Path:
    """A COLMAP project whose pictures have the given EXIF orientation and stored size."""
    (folder / "sparse" / "0").mkdir(parents=True)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    for name in names:
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (9, 9, 9)).save(path, exif=exif)
    images = {
        7 + i: ColmapImage(name, 3, (1.0, 0.0, 0.0, 0.0), (float(i), 0.0, 2.0))
        for i, name in enumerate(reversed(names))
    }
    camera = camera or ColmapCamera("PINHOLE", SIZE, (70.0, 72.0, 41.0, 29.0))
    points, colors = np.array([[0.0, 0.0, 5.0]]), np.array([[1, 2, 3]], np.uint8)
    write_model(folder / "sparse" / "0", ColmapModel({3: camera}, images, points, colors))
    return folder


def test_photographs_cameras_and_points(tmp_path: Path):
    photographs, pose = read_colmap(project_with(tmp_path))
    assert [p.name for p in photographs] == ["1.png", "2.png", "10.png"]
    assert len({p.camera_id for p in photographs}) == 1
    assert torch.allclose(pose.cameras.K, torch.tensor([[70.0, 0, 41], [0, 72, 29], [0, 0, 1]]))
    assert pose.cameras.cam_from_world[:, 0, 3].tolist() == [2, 1, 0]
    assert pose.points.tolist() == [[0, 0, 5]]
    assert pose.point_colors is not None
    assert pose.point_colors.tolist() == [[1, 2, 3]]
    assert (pose.source, pose.registered) == ("given", (0, 1, 2))


@pytest.mark.parametrize("named", ["", "sparse", "sparse/0"])
def test_any_folder_of_the_project_may_be_named(named: str, tmp_path: Path):
    assert len(read_colmap(project_with(tmp_path) / named)[0]) == 3


def test_images_may_lie_beside_the_model(tmp_path: Path):
    folder = project_with(tmp_path, names=("a/x.png", "b/x.png"))
    (folder / "images").rename(folder / "elsewhere")
    for name in ("a", "b"):
        (folder / "elsewhere" / name).rename(folder / name)
    assert [p.name for p in read_colmap(folder)[0]] == ["x.png", "x-2.png"]


@pytest.mark.parametrize(
    ("camera", "focal", "distortion"),
    [
        (ColmapCamera("SIMPLE_PINHOLE", SIZE, (70.0, 41.0, 29.0)), (70, 70), (0, 0, 0, 0)),
        (ColmapCamera("SIMPLE_RADIAL", SIZE, (70.0, 41.0, 29.0, 0.1)), (70, 70), (0.1, 0, 0, 0)),
        (ColmapCamera("RADIAL", SIZE, (70.0, 41.0, 29.0, 0.1, 0.2)), (70, 70), (0.1, 0.2, 0, 0)),
        (ColmapCamera("OPENCV", SIZE, (70.0, 72.0, 41.0, 29.0, 0.1, 0.2, 0.3, 0.4)), (70, 72), (0.1, 0.2, 0.3, 0.4)),
        (
            ColmapCamera("FULL_OPENCV", SIZE, (70.0, 72.0, 41.0, 29.0, 0.1, 0.2, 0.3, 0.4, 0.0, 0.0, 0.0, 0.0)),
            (70, 72),
            (0.1, 0.2, 0.3, 0.4),
        ),
    ],
)
def test_camera_models(camera: ColmapCamera, focal: tuple[float, float], distortion: tuple[float, ...], tmp_path: Path):
    _, pose = read_colmap(project_with(tmp_path, camera))
    assert torch.allclose(pose.cameras.K[0], torch.tensor([[focal[0], 0, 41], [0, focal[1], 29], [0, 0, 1]]).float())
    assert torch.allclose(pose.distortion[0], torch.tensor(distortion).float())


@pytest.mark.parametrize(
    "camera",
    [
        ColmapCamera("OPENCV_FISHEYE", SIZE, (70.0, 72.0, 41.0, 29.0, 0.0, 0.0, 0.0, 0.0)),
        ColmapCamera("FULL_OPENCV", SIZE, (70.0, 72.0, 41.0, 29.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0)),
        ColmapCamera("FOV", SIZE, (70.0, 72.0, 41.0, 29.0, 0.9)),
        ColmapCamera("SIMPLE_DIVISION", SIZE, (70.0, 41.0, 29.0, 0.1)),
    ],
)
def test_other_camera_models_give_a_hint(camera: ColmapCamera, tmp_path: Path):
    with pytest.raises(FormatError, match=f"{camera.model}(.|\n)*undistort"):
        read_colmap(project_with(tmp_path, camera))
    assert len(load_colmap_images(tmp_path)) == 3


def test_intrinsics_follow_the_size_of_the_files_and_the_reduction(tmp_path: Path):
    """Pictures of half the size that COLMAP saw, halved once more in memory."""
    folder = project_with(tmp_path, ColmapCamera("PINHOLE", (160, 120), (140.0, 144.0, 82.0, 58.0)))
    photographs, pose = read_colmap(folder, limits=Limits(max_long_side=40))
    assert photographs[0].size == (40, 30)
    assert torch.allclose(pose.cameras.K[0], torch.tensor([[35.0, 0, 20.5], [0, 36, 14.5], [0, 0, 1]]))


@pytest.mark.parametrize("camera", [None, ColmapCamera("PINHOLE", (60, 80), (72.0, 70.0, 31.0, 41.0))])
def test_camera_of_the_stored_or_of_the_upright_picture(camera: ColmapCamera | None, tmp_path: Path):
    """COLMAP 4 ignores EXIF orientation; a size that fits the upright picture alone says that this model did not."""
    photographs, pose = read_colmap(project_with(tmp_path, camera, orientation=6))
    assert photographs[0].size == (60, 80)
    # Orientation 6: the stored picture is turned clockwise by a quarter, so (x, y) of 80 x 60 goes to (60 - y, x).
    assert torch.allclose(pose.cameras.K[0], torch.tensor([[72.0, 0, 31], [0, 70, 41], [0, 0, 1]]))
    turned = camera is None
    expected = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]) if turned else torch.eye(3)
    assert torch.equal(pose.cameras.cam_from_world[0, :3, :3], expected)


def test_mirrored_pictures_are_refused(tmp_path: Path):
    with pytest.raises(GeometryError, match="orientation 2 mirrors"):
        read_colmap(project_with(tmp_path, orientation=2))


def test_other_shape_missing_images_and_too_many(tmp_path: Path):
    folder = project_with(tmp_path)
    with pytest.raises(LimitError, match="3 photographs"):
        read_colmap(folder, limits=Limits(max_photographs=2))
    assert [p.name for p in read_colmap(folder, limits=Limits(max_photographs=2), max_views=2)[0]] == [
        "1.png",
        "10.png",
    ]
    Image.new("RGB", (60, 60)).save(folder / "images" / "2.png")
    with pytest.raises(GeometryError, match=r"2\.png.*80 x 60.*60 x 60"):
        read_colmap(folder)
    (folder / "images" / "2.png").unlink()
    with pytest.raises(InputError, match=r"1 of 3 photographs are missing: 2\.png"):
        read_colmap(folder)
    with pytest.raises(FormatError, match="no COLMAP model"):
        read_colmap(folder / "images")
