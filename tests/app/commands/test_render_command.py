import json
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from app.cli import main
from recon.io.scene_folder import load_scene
from recon.io.transforms_json import write_transforms
from recon.pipeline.flight_plan import FlightConfig, plan_flight
from recon.pipeline.pictures import fit_cameras, pictures
from tests.saved_scenes import save_two_balls, two_balls


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_two_balls(tmp_path / "room")


def rendered(out: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)).astype(int) for path in sorted(out.glob("frame_*.png"))]


def middle_of(picture: np.ndarray, channel: int) -> np.ndarray:
    """(y, x) of what is mostly of one colour."""
    others = [c for c in range(3) if c != channel]
    return np.argwhere((picture[..., channel] > 120) & (picture[..., others].max(-1) < 100)).mean(0) + 0.5


def test_inputs_are_the_photographs_cameras(folder: Path, tmp_path: Path) -> None:
    assert main(["render", str(folder), "-o", str(tmp_path / "out"), "--trajectory", "inputs"]) == 0
    frames = rendered(tmp_path / "out")
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    # The first camera stands in front of the red ball, the last in front of the green one.
    np.testing.assert_allclose(middle_of(frames[0], 0), [24, 32], atol=0.6)
    np.testing.assert_allclose(middle_of(frames[2], 1), [24, 32], atol=0.6)


def test_another_size_shows_all_that_the_photograph_shows(folder: Path, tmp_path: Path) -> None:
    words = ["render", str(folder), "-o", str(tmp_path / "out"), "--trajectory", "inputs", "--size", "256,96"]
    assert main(words) == 0
    np.testing.assert_allclose(middle_of(rendered(tmp_path / "out")[0], 0), [48, 128], atol=0.6)
    fitted = fit_cameras(two_balls().cameras, (256, 96))
    assert fitted.K[0].tolist() == [[120, 0, 128], [0, 120, 48], [0, 0, 1]]


@pytest.mark.parametrize("trajectory", ["tour", "orbit", "spiral"])
def test_paths_show_both_balls_all_the_way(folder: Path, tmp_path: Path, trajectory: str) -> None:
    words = ["render", str(folder), "-o", str(tmp_path / "out"), "--trajectory", trajectory, "--seconds", "0.25"]
    assert main([*words, "--background", "white"]) == 0
    frames = rendered(tmp_path / "out")
    assert len(frames) == 6
    for frame in frames:
        assert frame[0, 0].tolist() == [255, 255, 255]
        assert np.isfinite(middle_of(frame, 0)).all()
        assert middle_of(frame, 0)[1] < middle_of(frame, 1)[1]


def test_a_path_from_a_file_needs_no_photographs(folder: Path, tmp_path: Path) -> None:
    write_transforms(tmp_path / "path.json", two_balls().cameras[[2]], ["x"])
    words = ["render", str(folder), "-o", str(tmp_path / "out"), "--trajectory", str(tmp_path / "path.json")]
    assert main(words) == 0
    (frame,) = rendered(tmp_path / "out")
    np.testing.assert_allclose(middle_of(frame, 1), [24, 32], atol=0.6)


def test_a_bare_file_is_seen_from_around(folder: Path, tmp_path: Path) -> None:
    words = ["render", str(folder / "gaussians.ply"), "-o", str(tmp_path / "out"), "--seconds", "0.17"]
    assert main([*words, "--size", "96,64"]) == 0
    frames = rendered(tmp_path / "out")
    assert len(frames) == 4
    assert all(frame.max() > 100 for frame in frames)


def test_a_video_and_its_depth(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "film.mp4"
    words = ["render", str(folder), "-o", str(out), "--seconds", "0.5", "--fps", "12", "--depth", "--json"]
    assert main(words) == 0
    content = json.loads(capsys.readouterr().out)
    assert [Path(file["path"]).name for file in content["files"]] == ["film.mp4", "film.depth.mp4"]
    assert content["report"] == {"trajectory": "tour", "frames": 6, "fps": 12, "size": [64, 48]}
    for file in content["files"]:
        with av.open(file["path"]) as video:
            assert sum(1 for _ in video.decode(video=0)) == 6
            assert video.streams.video[0].average_rate == 12


def test_depth_stands_beside_the_pictures(folder: Path, tmp_path: Path) -> None:
    words = ["render", str(folder), "-o", str(tmp_path / "out"), "--trajectory", "inputs", "--depth"]
    assert main(words) == 0
    depth = np.load(tmp_path / "out/depth/frame_00001.npy", allow_pickle=False)
    np.testing.assert_allclose(depth[depth > 0], 4.0, atol=1e-4)
    assert json.loads((tmp_path / "out/depth/depth.json").read_text())["maps"] == [f"frame_{i:05d}" for i in range(3)]


def test_nothing_is_replaced_unasked(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = tmp_path / "film.mp4"
    film.write_text("mine")
    words = ["render", str(folder), "-o", str(film), "--seconds", "0.1"]
    assert main(words) == 5
    assert film.read_text() == "mine"
    assert main(["render", str(folder), "-o", str(folder)]) == 5
    assert "already holds" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("--size big", "big"),
        ("--size 99999,10", "99999x10"),
        ("--background pink", "pink"),
        ("--trajectory wobble", "wobble"),
        ("--fps 0", "0 frames"),
        ("--seconds 100000", "seconds"),
        ("--trajectory inputs --seconds 0", "0 seconds"),
        ("--seconds 900 --fps 240", "frames"),
        ("--trajectory inputs --fps 2 --seconds 3", "not both"),
        ("--trajectory nowhere.json", "nowhere.json"),
        ("--device quantum", "quantum"),
    ],
)
def test_options_without_meaning_are_named(
    folder: Path, tmp_path: Path, words: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", str(folder), "-o", str(tmp_path / "out"), *words.split()]) == 2
    assert named in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_path_through_cameras_needs_cameras(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(folder / "gaussians.ply"), "-o", str(tmp_path / "a.mp4"), "--trajectory", "tour"]) == 2
    assert "orbit" in capsys.readouterr().err
    assert main(["render", str(folder), "-o", str(tmp_path / "film.avi")]) == 2
    assert ".avi" in capsys.readouterr().err


def test_the_default_path_is_a_tour_and_an_orbit_without_cameras(folder: Path) -> None:
    name, path, fps = plan_flight(load_scene(folder), FlightConfig())
    assert (name, len(path), fps) == ("tour", 96, 24)
    name, path, fps = plan_flight(load_scene(folder / "gaussians.ply"), FlightConfig())
    assert (name, len(path), fps) == ("orbit", 192, 24)


def test_magnified_gaussians_leave_no_gaps() -> None:
    """A wall of Gaussians, one a pixel of a small picture and a third of a pixel wide, seen four times larger."""
    cameras = two_balls().cameras[[1]]
    y, x = torch.meshgrid(torch.arange(48) + 0.5, torch.arange(64) + 0.5, indexing="ij")
    means = torch.stack([(x - 32) / 60, (y - 24) / 60, torch.ones_like(x)], dim=-1).reshape(-1, 3) * 4
    num = len(means)
    wall = two_balls().gaussians[torch.zeros(num, dtype=torch.long)]
    wall = type(wall)(means, torch.full((num, 3), 4 / 60 / 3), wall.quats, torch.full((num,), 0.9), wall.sh)
    large = fit_cameras(cameras, (256, 192))
    (small,) = pictures(wall, cameras)
    (gappy,) = pictures(wall, large)
    (filled,) = pictures(wall, large, native_focal_px=60.0)

    def darkest(picture: np.ndarray) -> int:
        border = len(picture) // 4
        return int(picture[border:-border, border:-border, 0].min())

    assert darkest(gappy.color) < darkest(small.color) - 60
    assert darkest(filled.color) > darkest(small.color) - 15
