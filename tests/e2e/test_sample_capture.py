"""The command, as a person calls it, on the sample capture and with the weights that ship."""

import json
import subprocess
import sys
from pathlib import Path

import av
import pytest

from recon.io.photographs.image_folder import list_images
from recon.io.scene_json import read_scene_json
from recon.io.splats.ply import read_ply
from recon.io.transforms_json import read_transforms

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parents[2] / "datasets" / "sample"


def recon(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", *map(str, words)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """Folder and JSON of a run with every default."""
    out = tmp_path_factory.mktemp("sample") / "out"
    done = recon("reconstruct", SAMPLE, "-o", out, "--seed", "0", "--json")
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_every_photograph_is_placed(result: tuple[Path, dict]) -> None:
    poses = result[1]["report"]["poses"]
    assert (poses["source"], poses["failed"]) == ("sfm", {})
    assert poses["registered"] == poses["total"] == len(list_images(SAMPLE))
    assert poses["reprojection_error_px"] < 2


def test_what_is_listed_is_what_is_there(result: tuple[Path, dict]) -> None:
    out, printed = result
    listed = {Path(entry["path"]): entry["bytes"] for entry in printed["files"]}
    assert listed == {path: path.stat().st_size for path in out.rglob("*") if path.is_file()}
    assert {path.name for path in out.iterdir()} == {
        "gaussians.ply", "turntable.mp4", "transforms.json", "images", "scene.json",
    }  # fmt: skip


def test_gaussians_can_be_read_back(result: tuple[Path, dict]) -> None:
    out, printed = result
    gaussians = read_ply(out / "gaussians.ply")
    assert len(gaussians) == printed["report"]["gaussians"] > 10_000


def test_video_plays(result: tuple[Path, dict]) -> None:
    with av.open(str(result[0] / "turntable.mp4")) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert stream.codec_context.name == "h264"
    assert len(frames) >= 48
    assert all(frame.std() > 5 for frame in frames)  # neither black nor empty


def test_poses_and_provenance_can_be_read_back(result: tuple[Path, dict]) -> None:
    out, printed = result
    _, poses = read_transforms(out / "transforms.json")
    record = read_scene_json(out / "scene.json")
    assert len(poses.cameras) == len(record.cameras) == printed["report"]["poses"]["registered"]
    assert (poses.cameras.cam_from_world - record.cameras.cam_from_world).abs().max() < 1e-5
    assert record.provenance.model == "ilrm-nano"
    assert record.provenance.seed == 0
    assert record.unit == "arbitrary"


def test_results_are_not_overwritten_unless_told(result: tuple[Path, dict]) -> None:
    out, _ = result
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    done = recon("reconstruct", SAMPLE, "-o", out)
    assert (done.returncode, done.stdout) == (5, "")
    assert "--overwrite" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_given_poses_keep_their_frame_and_repeat_exactly(result: tuple[Path, dict], tmp_path: Path) -> None:
    first, _ = result
    for name in ("once", "twice"):
        words = ("--export", "ply,transforms", "--resolution", "256", "--json", "--quiet")
        done = recon("reconstruct", first, "-o", tmp_path / name, *words)
        assert (done.returncode, done.stderr) == (0, "")
    given, kept = read_scene_json(first / "scene.json"), read_scene_json(tmp_path / "once" / "scene.json")
    assert (kept.unit, kept.provenance.pose_source) == ("given", "given")
    assert (kept.cameras.cam_from_world - given.cameras.cam_from_world).abs().max() < 1e-4
    once, twice = ((tmp_path / name / "gaussians.ply").read_bytes() for name in ("once", "twice"))
    assert once == twice


def test_found_poses_repeat(result: tuple[Path, dict], tmp_path: Path) -> None:
    first, _ = result
    done = recon("reconstruct", SAMPLE, "-o", tmp_path / "again", "--resolution", "64", "--export", "ply")
    assert done.returncode == 0, done.stderr
    once, twice = read_scene_json(first / "scene.json"), read_scene_json(tmp_path / "again" / "scene.json")
    assert once.names == twice.names
    assert (once.cameras.cam_from_world - twice.cameras.cam_from_world).abs().max() < 1e-3  # the median depth is 1
