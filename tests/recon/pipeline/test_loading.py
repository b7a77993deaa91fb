"""Every form of input is found out and said aloud."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from recon.errors import FormatError, InputError, LimitError
from recon.io.colmap import model_of_cameras, write_model
from recon.io.limits import Limits
from recon.io.transforms_json import write_transforms
from recon.io.video import write_mp4
from recon.pipeline.loading import open_source
from recon.types import Cameras

NAMES = ("0.png", "1.png", "2.png")


def three_cameras() -> Cameras:
    cam_from_world = torch.eye(4).repeat(3, 1, 1)
    cam_from_world[:, 0, 3] = torch.arange(3)
    K = torch.tensor([[35.0, 0, 20], [0, 35, 15], [0, 0, 1]]).repeat(3, 1, 1)
    return Cameras(cam_from_world, K, torch.tensor([[40, 30]]).repeat(3, 1))


def save_images(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(NAMES):
        Image.new("RGB", (40, 30), (i, 0, 0)).save(folder / name)
    return folder


def save_transforms(folder: Path) -> Path:
    save_images(folder / "images")
    write_transforms(folder / "transforms.json", three_cameras(), [f"images/{name}" for name in NAMES])
    return folder


def save_colmap(folder: Path, binary: bool = True) -> Path:
    save_images(folder / "images")
    (folder / "sparse/0").mkdir(parents=True)
    write_model(folder / "sparse/0", model_of_cameras(three_cameras(), NAMES, torch.ones(2, 3)), binary=binary)
    return folder


def save_video(path: Path) -> Path:
    write_mp4(path, (np.full((30, 40, 3), 10 * i, np.uint8) for i in range(10)), 10)
    return path


def packed(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.rglob("*")):
            out.write(path, str(Path("top") / path.relative_to(folder)))
    return archive


def test_folder_list_pattern_and_single_image(tmp_path: Path):
    folder = save_images(tmp_path / "room")
    for source, kind in [
        (folder, "folder, 3 images"),
        (str(folder), "folder, 3 images"),
        ([folder / "2.png", folder / "0.png"], "list of files, 2 images"),
        (str(folder / "*.png"), f"pattern {folder}/*.png, 3 images"),
        (folder / "[01].png", f"pattern {folder}/[01].png, 2 images"),
        (str(tmp_path / "**/2.*"), f"pattern {tmp_path}/**/2.*, 1 image"),
        (folder / "1.png", "image 1.png, 1 image"),
    ]:
        found = open_source(source)
        assert found.kind == kind
        assert found.given is None
    assert [p.name for p in open_source([folder / "2.png", folder / "0.png"]).photographs] == ["2.png", "0.png"]
    assert open_source(folder, max_views=2).kind == "folder, 2 images of 3, evenly spread"


def test_a_name_with_brackets_that_exists_is_no_pattern(tmp_path: Path):
    assert open_source(save_images(tmp_path / "room[1]")).kind == "folder, 3 images"


def test_patterns_are_in_natural_order_and_only_images(tmp_path: Path):
    for name in ("x10.png", "x9.png", "x1.txt"):
        Image.new("RGB", (4, 4)).save(tmp_path / name, format="PNG")
    assert [p.name for p in open_source(str(tmp_path / "x*")).photographs] == ["x9.png", "x10.png"]
    with pytest.raises(InputError, match="matches 1 names, none of them an image"):
        open_source(str(tmp_path / "*.txt"))
    with pytest.raises(InputError, match="matches 0 names"):
        open_source(str(tmp_path / "*.jpg"))


def test_transforms_with_and_without_their_poses(tmp_path: Path):
    folder = save_transforms(tmp_path / "room")
    for source in (folder, folder / "transforms.json"):
        found = open_source(source, poses="given")
        assert found.kind == "transforms.json, 3 images"
        assert found.given is not None
        assert found.given.cameras.cam_from_world[:, 0, 3].tolist() == [0, 1, 2]
    ignoring = open_source(folder, poses="sfm")
    assert ignoring.kind == "transforms.json without its poses, 3 images"
    assert ignoring.given is None


@pytest.mark.parametrize(("binary", "kind"), [(True, "COLMAP model (binary)"), (False, "COLMAP model (text)")])
def test_colmap_with_and_without_its_poses(binary: bool, kind: str, tmp_path: Path):
    folder = save_colmap(tmp_path / "room", binary)
    found = open_source(folder)
    assert found.kind == f"{kind}, 3 images"
    assert found.given is not None
    assert len(found.given.points) == found.notes["given_points"] == 2
    assert open_source(folder, poses="sfm").given is None
    assert open_source(folder, max_views=2).kind == f"{kind}, 2 images"


def test_video(tmp_path: Path):
    found = open_source(save_video(tmp_path / "clip.mp4"))
    assert found.kind == "video clip.mp4, 0.9 s, 4 of 10 frames taken, the sharpest of each 0.25 s"
    assert found.notes["video_frames"] == 10
    assert len(found.notes["frame_seconds"]) == len(found.photographs) == 4


@pytest.mark.parametrize(
    ("save", "kind"),
    [
        (save_images, "folder, 3 images"),
        (save_transforms, "transforms.json, 3 images"),
        (save_colmap, "COLMAP model (binary), 3 images"),
        (lambda folder: folder.mkdir() or save_video(folder / "clip.mp4"), "video clip.mp4, 0.9 s"),
    ],
)
def test_zip_archives_of_all_forms(save, kind: str, tmp_path: Path):
    save(tmp_path / "room")
    found = open_source(packed(tmp_path / "room", tmp_path / "room.zip"))
    assert found.kind.startswith(f"zip archive room.zip: {kind}")
    assert (found.given is None) == (kind.startswith(("folder", "video")))
    packed(tmp_path / "room", tmp_path / "upload")  # as a browser may name it
    assert open_source(tmp_path / "upload").kind.startswith(f"zip archive upload: {kind}")


def test_notes_beside_the_folder_of_an_archive_do_not_hide_its_poses(tmp_path: Path):
    save_transforms(tmp_path / "room" / "capture")
    (tmp_path / "room" / "README.txt").write_text("taken in March")
    found = open_source(packed(tmp_path / "room", tmp_path / "room.zip"))
    assert found.given is not None


def test_images_of_an_archive_may_lie_in_several_folders(tmp_path: Path):
    save_images(tmp_path / "room/a")
    save_images(tmp_path / "room/b")
    found = open_source(packed(tmp_path / "room", tmp_path / "room.zip"))
    assert [p.name for p in found.photographs] == ["0.png", "1.png", "2.png", "0-2.png", "1-2.png", "2-2.png"]


def test_poses_that_are_not_there(tmp_path: Path):
    folder = save_images(tmp_path / "room")
    for source in (folder, [folder / "0.png"], save_video(tmp_path / "clip.mp4"), packed(folder, tmp_path / "a.zip")):
        with pytest.raises(InputError, match="no poses are given"):
            open_source(source, poses="given")


def test_frames_per_second_without_a_video(tmp_path: Path):
    for source in (save_images(tmp_path / "room"), save_colmap(tmp_path / "model"), save_transforms(tmp_path / "t")):
        with pytest.raises(InputError, match="the source is no video"):
            open_source(source, fps=2.0)


def test_nothing_there_and_other_files(tmp_path: Path):
    with pytest.raises(InputError, match="does not exist"):
        open_source(tmp_path / "nothing")
    for name in ("a\0b", "x" * 300):
        with pytest.raises(InputError):
            open_source(name)
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(FormatError, match="neither an image, a video"):
        open_source(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        open_source(Path("/dev/null"))
    with pytest.raises(InputError, match="no photographs"):
        open_source([])


def test_limits_reach_every_form(tmp_path: Path):
    few = Limits(max_photographs=2)
    folder = save_images(tmp_path / "room")
    save_transforms(tmp_path / "t")
    save_colmap(tmp_path / "c")
    sources = [folder, str(folder / "*.png"), tmp_path / "t", tmp_path / "c", packed(folder, tmp_path / "room.zip")]
    for source in sources:
        with pytest.raises(LimitError, match="3 photographs, at most 2"):
            open_source(source, limits=few)


def test_broken_poses_do_not_matter_when_they_are_ignored(tmp_path: Path):
    folder = save_transforms(tmp_path / "room")
    content = json.loads((folder / "transforms.json").read_text())
    content["frames"][0]["transform_matrix"] = "words"
    (folder / "transforms.json").write_text(json.dumps(content))
    assert len(open_source(folder, poses="sfm").photographs) == 3
    with pytest.raises(FormatError):
        open_source(folder)
