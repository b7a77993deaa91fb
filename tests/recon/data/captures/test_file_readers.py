"""What readers of picture files do with files that are missing, damaged or wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from recon.data.captures.checks import BAD_PICTURE, FEW_FRAMES, IMPOSSIBLE_CAMERA, MISSING_PICTURE
from recon.data.captures.long_lrm import OpencvJson
from recon.data.captures.nerfstudio import Nerfstudio
from recon.data.captures.open_source import open_captures
from recon.data.captures.re10k_text import Re10kText
from recon.errors import FormatError, InputError, UnusableCaptureError
from tests.tiny_captures import (
    TinyCapture,
    tiny_capture,
    write_colmap,
    write_dl3dv,
    write_long_lrm,
    write_lvsm,
    write_re10k_text,
)


@pytest.fixture(scope="module")
def capture() -> TinyCapture:
    return tiny_capture("ab" * 8, frames=4, size=(48, 32))


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def reason(root: Path) -> str:
    with pytest.raises(UnusableCaptureError) as caught:
        open_captures(root)[0]
    return caught.value.reason


class TestText:
    def test_missing_frames_are_counted(
        self, tmp_path: Path, capture: TinyCapture, caplog: pytest.LogCaptureFixture
    ) -> None:
        write_re10k_text(tmp_path, tmp_path / "pictures", [capture])
        folder = tmp_path / "pictures" / capture.name
        (folder / f"{capture.timestamps[1]}.jpg").unlink()
        source = Re10kText(tmp_path, frames=tmp_path / "pictures")
        found = source[0]
        assert found.timestamps == (*capture.timestamps[:1], *capture.timestamps[2:])
        assert (found.missing, found.num_published) == ((1,), 4)
        assert "1 of 4 frames have no picture" in caplog.text
        torch.testing.assert_close(found.cameras.K, capture.cameras.K[1:])
        for picture in folder.iterdir():
            picture.unlink()
        with pytest.raises(UnusableCaptureError) as caught:
            source[0]
        assert caught.value.reason == FEW_FRAMES

    def test_frames_may_be_png_and_lie_in_folders_of_the_splits(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_re10k_text(tmp_path, tmp_path / "frames" / "train", [capture])
        folder = tmp_path / "frames" / "train" / capture.name
        Image.fromarray(capture.images[0]).save(folder / f"{capture.timestamps[0]}.png")
        (folder / f"{capture.timestamps[0]}.jpg").unlink()
        found = Re10kText(tmp_path)[0]
        assert (found.picture(0) == capture.images[0]).all()
        assert found.url == capture.url

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "no line with a camera"),
            ("u\n1 2 3\n", "line 2 has 3 numbers, expected a time and 18"),
            ("u\n\nx" + " 1" * 18, "line 3 is not made of numbers"),
            ("u\n-5" + " 1" * 18, "the time is -5"),
            ("1 2 3\n", "line 1 is '1 2 3', expected the URL"),
        ],
    )
    def test_lines_that_are_none(self, tmp_path: Path, capture: TinyCapture, text: str, message: str) -> None:
        write_re10k_text(tmp_path, tmp_path / "frames", [capture])
        (tmp_path / "train" / f"{capture.name}.txt").write_text(text)
        with pytest.raises(FormatError, match=message):
            Re10kText(tmp_path)[0]

    def test_folders_that_are_not_there(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_re10k_text(tmp_path, tmp_path / "pictures", [capture])
        with pytest.raises(InputError, match="frames: no such folder"):
            Re10kText(tmp_path)


class TestNerfstudio:
    def file(self, root: Path, capture: TinyCapture) -> Path:
        return root / capture.name / "nerfstudio" / "transforms.json"

    def test_sizes_that_are_there(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_dl3dv(tmp_path, [capture], downsample=8)
        large = capture.redrawn(
            type(capture.cameras)(capture.cameras.cam_from_world, capture.cameras.K, capture.cameras.size)
        )
        folder = self.file(tmp_path, capture).parent
        (folder / "images").mkdir()
        for i, image in enumerate(large.images):
            picture = Image.fromarray(image).resize((384, 256))
            picture.save(folder / "images" / f"frame_{i + 1:05d}.png")
        assert Nerfstudio(tmp_path)[0].cameras.size[0].tolist() == [48, 32]
        full = Nerfstudio(tmp_path, downsample=1)[0]
        assert full.cameras.size[0].tolist() == [384, 256]
        torch.testing.assert_close(full.cameras.K[:, :2], 8 * capture.cameras.K[:, :2])
        with pytest.raises(UnusableCaptureError, match=r"there is no images_4/frame_00001\.png") as caught:
            Nerfstudio(tmp_path, downsample=4)[0]
        assert caught.value.reason == MISSING_PICTURE
        with pytest.raises(FormatError, match="downsample is 3"):
            Nerfstudio(tmp_path, downsample=3)

    def test_lens_without_a_size_is_that_of_the_large_pictures(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_dl3dv(tmp_path, [capture])
        changed(self.file(tmp_path, capture), lambda content: (content.pop("w"), content.pop("h")))
        torch.testing.assert_close(Nerfstudio(tmp_path)[0].cameras.K, capture.cameras.K)

    def test_suffix_may_be_another(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_dl3dv(tmp_path, [capture])
        folder = self.file(tmp_path, capture).parent / "images_4"
        (folder / "frame_00001.png").unlink()
        (folder / "frame_00001.jpg").write_bytes(capture.jpegs[0])
        assert Nerfstudio(tmp_path)[0].picture(0).shape == (32, 48, 3)

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (
                lambda content: content["frames"][1]["transform_matrix"][0].__setitem__(0, float("nan")),
                IMPOSSIBLE_CAMERA,
            ),
            (lambda content: content.update(k1=-50.0), IMPOSSIBLE_CAMERA),
            (lambda content: content.update(w=content["h"]), IMPOSSIBLE_CAMERA),
            (lambda content: content["frames"][1].update(file_path="images/none.png"), MISSING_PICTURE),
        ],
        ids=["nan", "folded", "aspect", "picture"],
    )
    def test_unusable(
        self, tmp_path: Path, capture: TinyCapture, change: Callable[[dict[str, Any]], object], expected: str
    ) -> None:
        write_dl3dv(tmp_path, [capture])
        changed(self.file(tmp_path, capture), change)
        assert reason(tmp_path) == expected

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda content: content.update(frames={}), '"frames" is not a list'),
            (lambda content: content["frames"][0].update(file_path=3), "file_path"),
            (lambda content: content["frames"][0].update(file_path="a.png"), "lies not in images/"),
            (lambda content: content.update(camera_model="OPENCV_FISHEYE"), "fisheye"),
            (lambda content: content["frames"][0].update(transform_matrix=[1]), "expected 4x4"),
        ],
    )
    def test_malformed(
        self, tmp_path: Path, capture: TinyCapture, change: Callable[[dict[str, Any]], object], message: str
    ) -> None:
        write_dl3dv(tmp_path, [capture])
        changed(self.file(tmp_path, capture), change)
        with pytest.raises(FormatError, match=message):
            Nerfstudio(tmp_path)[0]

    def test_picture_outside_the_folder(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_dl3dv(tmp_path, [capture])
        change = {"file_path": "images/../../../../secret.png"}
        changed(self.file(tmp_path, capture), lambda content: content["frames"][0].update(change))
        with pytest.raises(InputError, match="lies outside"):
            Nerfstudio(tmp_path)[0]

    def test_two_captures_of_one_name(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_dl3dv(tmp_path, [capture], layout="10k")
        (tmp_path / "1K").rename(tmp_path / "2K")
        write_dl3dv(tmp_path, [capture], layout="10k")
        with pytest.raises(FormatError, match="are both named"):
            Nerfstudio(tmp_path)


class TestOpencvJson:
    def test_absolute_paths_of_another_machine(self, tmp_path: Path, capture: TinyCapture) -> None:
        folder = write_lvsm(tmp_path, [capture]) / "train"
        far = "/data/someone/re10k/train"
        (folder / "full_list.txt").write_text(f"{far}/metadata/{capture.name}.json\n")

        def move(content: dict[str, Any]) -> None:
            for frame in content["frames"]:
                frame["image_path"] = f"{far}/{frame['image_path']}"

        changed(folder / "metadata" / f"{capture.name}.json", move)
        found = OpencvJson(tmp_path)[0]
        assert found.encoded is not None
        assert found.encoded(3) == capture.jpegs[3]

    def test_list_of_long_lrm(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_long_lrm(tmp_path, [capture])
        (tmp_path / "full_list.txt").write_text(f"{capture.name}/opencv_cameras.json\n")
        assert OpencvJson(tmp_path, "test").names == (capture.name,)

    @pytest.mark.parametrize(("text", "message"), [("gone.json\n", "names 'gone.json'"), ("\n", "names no capture")])
    def test_list_of_nothing(self, tmp_path: Path, capture: TinyCapture, text: str, message: str) -> None:
        write_lvsm(tmp_path, [capture])
        (tmp_path / "train" / "full_list.txt").write_text(text)
        with pytest.raises(InputError, match=message):
            OpencvJson(tmp_path)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"w2c": [[1]]}, "expected 4x4"),
            ({"w2c": "a"}, "not made of numbers"),
            ({"fx": None}, "the pinhole is"),
            ({"fxfycxcy": [1, 2, 3]}, "the pinhole is"),
            ({"file_path": 3}, "file_path or image_path is 3"),
        ],
    )
    def test_malformed(self, tmp_path: Path, capture: TinyCapture, change: dict[str, Any], message: str) -> None:
        write_long_lrm(tmp_path, [capture])
        path = tmp_path / capture.name / "opencv_cameras.json"
        changed(path, lambda content: content["frames"][2].update(change))
        with pytest.raises(FormatError, match=message):
            OpencvJson(tmp_path)[0]

    def test_intrinsics_are_brought_to_the_size_of_the_picture(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_long_lrm(tmp_path, [capture])

        def enlarge(content: dict[str, Any]) -> None:
            for frame in content["frames"]:
                frame.update({name: 2 * frame[name] for name in ("w", "h", "fx", "fy", "cx", "cy")})

        changed(tmp_path / capture.name / "opencv_cameras.json", enlarge)
        torch.testing.assert_close(OpencvJson(tmp_path)[0].cameras.K, capture.cameras.K)


class TestColmap:
    def test_missing_and_damaged_pictures(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_colmap(tmp_path, [capture])
        picture = tmp_path / capture.name / "images" / "frame_00002.jpg"
        picture.write_bytes(b"no picture")
        assert reason(tmp_path) == BAD_PICTURE
        picture.unlink()
        assert reason(tmp_path) == MISSING_PICTURE

    def test_damaged_model(self, tmp_path: Path, capture: TinyCapture) -> None:
        write_colmap(tmp_path, [capture])
        path = tmp_path / capture.name / "sparse" / "0" / "images.bin"
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(FormatError, match=r"images\.bin"):
            open_captures(tmp_path)[0]


def test_picture_that_changes_after_it_was_opened(tmp_path: Path, capture: TinyCapture) -> None:
    write_colmap(tmp_path, [capture])
    found = open_captures(tmp_path)[0]
    path = tmp_path / capture.name / "images" / "frame_00001.jpg"
    Image.fromarray(capture.images[0]).resize((10, 10)).save(path)
    with pytest.raises(FormatError, match="decodes to 10 x 10 pixels"):
        found.picture(0)
    path.unlink()
    with pytest.raises(FormatError, match="cannot be read"):
        found.picture(0)
