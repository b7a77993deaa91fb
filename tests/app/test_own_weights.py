"""The main job with weights that are not shipped, from the command to `scene.json`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import recon.pipeline.reconstruct as pipeline
from app.cli import main
from recon.errors import ExportError
from tests.published_files import import_small, save_main, save_wide

SIDE = 64


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Three photographs of noise with cameras side by side."""
    rng, folder, frames = np.random.default_rng(0), tmp_path / "capture", []
    folder.mkdir()
    for i in range(3):
        Image.fromarray(rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)).save(folder / f"{i}.png")
        pose = np.eye(4)
        pose[0, 3] = 0.2 * i
        frames.append({"file_path": f"{i}.png", "transform_matrix": pose.tolist()})
    lens = {"fl_x": 60.0, "fl_y": 60.0, "cx": SIDE / 2, "cy": SIDE / 2, "w": SIDE, "h": SIDE}
    (folder / "transforms.json").write_text(json.dumps(lens | {"frames": frames}))
    return folder


def reconstruct(capture: Path, weights: Path, out: Path, *more: str) -> int:
    fixed = ["--refine", "0", "--resolution", str(SIDE), "--export", "ply", "--quiet"]
    return main(["reconstruct", str(capture), "-o", str(out), "--weights", str(weights), *fixed, *more])


def scene(out: Path) -> dict[str, Any]:
    return json.loads((out / "scene.json").read_text())


def test_another_network_makes_the_gaussians_and_is_named(capture: Path, tmp_path: Path) -> None:
    done = import_small(save_wide(tmp_path / "wide.pt"), tmp_path / "weights")
    assert reconstruct(capture, tmp_path / "weights", tmp_path / "out") == 0
    content = scene(tmp_path / "out")
    assert content["provenance"]["model"] == "ilrm"
    assert content["provenance"]["weights_sha256"] == done.weights_sha256
    assert 0 < content["report"]["gaussians"] <= 3 * (SIDE // 2) ** 2
    assert content["unit"] == "given"


def test_a_resumed_run_does_not_take_what_other_weights_made(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = import_small(save_wide(tmp_path / "wide.pt"), tmp_path / "wide")
    full = import_small(save_main(tmp_path / "main.ckpt"), tmp_path / "full")

    def no_room(*_: object) -> None:
        raise ExportError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "_write", no_room)
        assert reconstruct(capture, full.folder, tmp_path / "out") == 5
    assert (tmp_path / ".out.stages" / "gaussians.safetensors").is_file()
    assert reconstruct(capture, wide.folder, tmp_path / "out", "--resume") == 0
    assert scene(tmp_path / "out")["provenance"]["weights_sha256"] == wide.weights_sha256
    assert scene(tmp_path / "out")["report"]["gaussians"] <= 3 * (SIDE // 2) ** 2
