import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from recon.errors import FormatError, GeometryError, InputError, LimitError
from recon.io.limits import Limits
from recon.io.transforms_json import read_transforms, write_transforms
from recon.types import Cameras

# An OpenGL camera at (1, 2, 3) that looks along world -z with world y up.
UPRIGHT = [[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]
INTRINSICS = {"fl_x": 35.0, "fl_y": 36.0, "cx": 21.5, "cy": 14.25, "w": 40, "h": 30}


def write(folder: Path, **fields: Any) -> Path:
    content = {
        **INTRINSICS,
        "frames": [{"file_path": f"images/{i}.png", "transform_matrix": UPRIGHT} for i in range(3)],
    }
    path = folder / "transforms.json"
    path.write_text(json.dumps(content | fields))
    return path


def frame(file_path: Any = "images/1.png", matrix: Any = UPRIGHT, **fields: Any) -> dict[str, Any]:
    return {"file_path": file_path, "transform_matrix": matrix, **fields}


def test_opengl_camera_becomes_an_opencv_camera(photo_folder: Path):
    photographs, pose = read_transforms(write(photo_folder))
    assert [p.name for p in photographs] == ["0.png", "1.png", "2.png"]
    assert (pose.source, pose.registered) == ("given", (0, 1, 2))
    assert torch.allclose(pose.cameras.centers[0], torch.tensor([1.0, 2.0, 3.0]))
    # What lies ahead, at world -z, has positive depth; what lies above has negative image y.
    in_camera = pose.cameras.cam_from_world[0] @ torch.tensor([1.0, 3.0, 0.0, 1.0])
    assert torch.allclose(in_camera, torch.tensor([0.0, -1.0, 3.0, 1.0]))
    assert torch.allclose(pose.cameras.K[0], torch.tensor([[35, 0, 21.5], [0, 36, 14.25], [0, 0, 1]]))
    assert pose.distortion.abs().max() == 0
    pose.validate(photographs)


def test_folder_and_any_file_name(photo_folder: Path):
    path = write(photo_folder)
    assert len(read_transforms(photo_folder)[0]) == 3
    path.rename(photo_folder / "cameras.json")
    assert len(read_transforms(photo_folder / "cameras.json", max_views=2)[0]) == 2


def test_write_and_read_agree(photo_folder: Path, cameras: Cameras):
    path = photo_folder / "again.json"
    write_transforms(path, cameras, [f"images/{i}.png" for i in range(3)])
    _, pose = read_transforms(path)
    assert torch.allclose(pose.cameras.cam_from_world, cameras.cam_from_world, atol=1e-6)
    assert torch.equal(pose.cameras.K, cameras.K)
    assert torch.equal(pose.cameras.size, cameras.size)


def test_frame_fields_come_before_those_of_the_file(photo_folder: Path):
    frames = [frame("images/0.png", fl_x=50.0, fl_y=51.0, k1=-0.1, p2=0.01), frame()]
    _, pose = read_transforms(write(photo_folder, frames=frames, k1=0.2))
    assert pose.cameras.K[:, 0, 0].tolist() == [50, 35]
    assert torch.allclose(pose.distortion, torch.tensor([[-0.1, 0, 0, 0.01], [0.2, 0, 0, 0]]))


def test_field_of_view_gives_the_focal_length(photo_folder: Path):
    path = photo_folder / "transforms.json"
    path.write_text(json.dumps({"camera_angle_x": math.pi / 2, "frames": [frame("images/0")]}))
    _, pose = read_transforms(path)
    assert torch.allclose(pose.cameras.K[0], torch.tensor([[20.0, 0, 20], [0, 20, 15], [0, 0, 1]]))


def test_intrinsics_follow_the_size_in_memory(photo_folder: Path):
    """Stated for 80 x 60, the files have 40 x 30, the memory 20 x 15."""
    doubled = {name: 2 * value for name, value in INTRINSICS.items()}
    photographs, pose = read_transforms(write(photo_folder, **doubled), limits=Limits(max_long_side=20))
    assert photographs[0].size == (20, 15)
    assert torch.allclose(pose.cameras.K[0], torch.tensor([[17.5, 0, 10.75], [0, 18, 7.125], [0, 0, 1]]))
    assert pose.cameras.size[0].tolist() == [20, 15]


def test_same_file_name_in_two_folders(photo_folder: Path):
    (photo_folder / "other").mkdir()
    (photo_folder / "images/0.png").rename(photo_folder / "other/1.png")
    photographs, _ = read_transforms(write(photo_folder, frames=[frame(), frame("./other/1.png")]))
    assert [p.name for p in photographs] == ["1.png", "1-2.png"]


def test_absolute_path_inside_the_folder(photo_folder: Path):
    inside = str((photo_folder / "images/1.png").resolve())
    assert len(read_transforms(write(photo_folder, frames=[frame(inside)]))[0]) == 1


OUTSIDE = [
    "../secret.png",
    "images/../../secret.png",
    "/etc/hostname",
    "../secret",
    "images/../../photos2/x.png",
    "link.png",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_file_outside_the_folder_is_read(name: str, photo_folder: Path):
    Image.new("RGB", (40, 30)).save(photo_folder.parent / "secret.png")
    (photo_folder / "link.png").symlink_to(photo_folder.parent / "secret.png")
    with pytest.raises(InputError, match="outside the folder"):
        read_transforms(write(photo_folder, frames=[frame(name)]))


@pytest.mark.parametrize(
    "name", ["a\0b.png", "x" * 300 + ".png", "images/9.png", "..\\secret.png", "C:\\x.png", "images"]
)
def test_names_without_a_file(name: str, photo_folder: Path):
    with pytest.raises(InputError, match=r"missing|cannot be opened"):
        read_transforms(write(photo_folder, frames=[frame(), frame(name)]))


def test_missing_photographs_are_counted_and_named(photo_folder: Path):
    frames = [frame(), *(frame(f"images/lost{i}.jpg") for i in range(7))]
    with pytest.raises(InputError, match=r"7 of 8 photographs are missing: images/lost0\.jpg.*, \.\.\."):
        read_transforms(write(photo_folder, frames=frames))


def changed(row: int, column: int, value: float) -> list[list[float]]:
    matrix = [[float(x) for x in line] for line in UPRIGHT]
    matrix[row][column] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (changed(0, 3, math.nan), "NaN"),
        (changed(1, 3, math.inf), "infinity"),
        (changed(0, 1, 0.3), "not a rotation"),
        (changed(0, 0, 2.0), "not a rotation"),
        (changed(2, 2, -1.0), "reflection"),
        (changed(3, 3, 2.0), "last row"),
        ([[0] * 4] * 3 + [[0, 0, 0, 1]], "not a rotation"),
    ],
)
def test_impossible_pose_names_its_frame(matrix: list[list[float]], message: str, photo_folder: Path):
    with pytest.raises(GeometryError, match=rf"images/1\.png.*{message}"):
        read_transforms(write(photo_folder, frames=[frame("images/0.png"), frame(matrix=matrix)]))


def test_rotation_of_few_digits_is_straightened(photo_folder: Path):
    c, s = round(math.cos(0.5), 4), round(math.sin(0.5), 4)
    matrix = [[c, 0, s, 100], [0, 1, 0, -50], [-s, 0, c, 7], [0, 0, 0, 1]]
    _, pose = read_transforms(write(photo_folder, frames=[frame(matrix=matrix)]))
    assert torch.allclose(pose.cameras.centers[0], torch.tensor([100.0, -50.0, 7.0]), atol=1e-4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"frames": []}, "not a list of objects"),
        ({"frames": {}}, "not a list of objects"),
        ({"frames": [1]}, "not a list of objects"),
        ({"frames": [{"transform_matrix": UPRIGHT}]}, "file_path"),
        ({"frames": [frame(7)]}, "file_path"),
        ({"frames": [frame(matrix=None)]}, "numbers|shape"),
        ({"frames": [frame(matrix="words")]}, "numbers"),
        ({"frames": [frame(matrix=[[1, 2], [3]])]}, "numbers"),
        ({"frames": [frame(matrix=[[1, 0], [0, 1]])]}, "shape"),
        ({"frames": [frame(matrix=[[10**400] * 4] * 4)]}, "numbers"),
        ({"fl_x": "wide"}, "fl_x"),
        ({"fl_x": 0}, "focal length"),
        ({"fl_x": -35.0}, "focal length"),
        ({"fl_x": math.nan}, "fl_x"),
        ({"cx": True}, "cx"),
        ({"cx": 10**400}, "cx"),
        ({"w": 0}, "size"),
        ({"camera_model": "OPENCV_FISHEYE"}, "camera model"),
        ({"camera_model": ["OPENCV"]}, "camera model"),
        ({"is_fisheye": True}, "fisheye"),
        ({"k3": 0.1}, "camera model"),
    ],
)
def test_malformed_files_say_what_is_wrong(fields: dict[str, Any], message: str, photo_folder: Path):
    with pytest.raises(FormatError, match=message):
        read_transforms(write(photo_folder, **fields))


@pytest.mark.parametrize("fields", [{}, {"camera_angle_x": 0.0}, {"camera_angle_x": 4.0}])
def test_absent_or_impossible_field_of_view(fields: dict[str, float], photo_folder: Path):
    path = photo_folder / "transforms.json"
    path.write_text(json.dumps({"frames": [frame()], **fields}))
    with pytest.raises(FormatError, match=r"focal length|camera_angle_x"):
        read_transforms(path)


@pytest.mark.parametrize("text", ["", "words", "[]", "null", "{", "[" * 100_000, '{"frames": ' + "1" * 5000 + "}"])
def test_other_text_is_refused(text: str, tmp_path: Path):
    (tmp_path / "transforms.json").write_text(text)
    with pytest.raises(FormatError):
        read_transforms(tmp_path)


def test_other_bytes_large_files_and_missing_files(tmp_path: Path):
    path = tmp_path / "transforms.json"
    with pytest.raises(InputError, match="cannot be read"):
        read_transforms(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError):
        read_transforms(path)
    path.write_text(" " * 1001)
    with pytest.raises(LimitError):
        read_transforms(path, limits=Limits(max_json_bytes=1000))


def test_too_many_frames(photo_folder: Path):
    with pytest.raises(LimitError, match="3 photographs"):
        read_transforms(write(photo_folder), limits=Limits(max_photographs=2))


def test_size_of_another_picture_is_noticed(photo_folder: Path):
    Image.fromarray(np.zeros((40, 30, 3), np.uint8)).save(photo_folder / "images/1.png")
    with pytest.raises(GeometryError, match=r"images/1\.png.*40 x 30.*30 x 40"):
        read_transforms(write(photo_folder))


@pytest.mark.parametrize("orientation", [5, 7])
def test_camera_of_a_mirrored_picture_is_refused(orientation: int, photo_folder: Path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(photo_folder / "images/1.png", exif=exif)
    with pytest.raises(GeometryError, match=rf"images/1\.png.*orientation {orientation} mirrors"):
        read_transforms(write(photo_folder))
