"""Evaluation of a small network on tiny chunks against figures worked out by other means."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from app.cli import main
from models.evaluation import EvalConfig, evaluate
from models.hub import load_pretrained, save_pretrained
from models.ilrm.nano.network import NanoILRM
from recon.errors import InputError
from recon.render.rasterizer import render
from recon.types import Cameras
from tests.models.walls import SMALL
from tests.tiny_captures import TinyCapture, tiny_captures, write_re10k

SIZE = (48, 64)
CONTEXT, TARGET = [1, 7], [3, 4, 6]


@pytest.fixture(scope="module")
def captures() -> list[TinyCapture]:
    return tiny_captures(3)


@pytest.fixture(scope="module")
def config(captures: list[TinyCapture], tmp_path_factory: pytest.TempPathFactory) -> EvalConfig:
    """Chunks of three captures, an index for two of them and one that does not exist, and random weights."""
    folder = tmp_path_factory.mktemp("eval")
    write_re10k(folder / "data", captures, split="test")
    entry = {"context": CONTEXT, "target": TARGET}
    index = {captures[0].name: entry, captures[1].name: None, captures[2].name: entry, "absent": entry}
    (folder / "index.json").write_text(json.dumps(index))
    torch.manual_seed(0)
    save_pretrained(folder / "weights", "ilrm-nano", NanoILRM(SMALL), SMALL)
    return EvalConfig(
        weights=str(folder / "weights"), folder=str(folder / "data"), index=str(folder / "index.json"),
        out=str(folder / "out"), size=SIZE, untimed=1, threads=1,
    )  # fmt: skip


def by_hand(capture: TinyCapture, weights: str) -> tuple[float, float]:
    """PSNR and SSIM with other code for everything but the network and the renderer."""
    images, Ks = [], []
    height, width = capture.images.shape[1:3]
    covering = (round(width * SIZE[0] / height), SIZE[0]) if width * SIZE[0] > height * SIZE[1] else (SIZE[1], SIZE[1])
    for frame in range(len(capture)):
        stored = cv2.cvtColor(cv2.imdecode(np.frombuffer(capture.jpegs[frame], np.uint8), 1), cv2.COLOR_BGR2RGB)
        large = Image.fromarray(stored).resize(covering, Image.Resampling.LANCZOS)
        left = (covering[0] - SIZE[1]) // 2
        images.append(np.asarray(large.crop((left, 0, left + SIZE[1], SIZE[0]))).astype(np.float32) / 255)
        K = capture.cameras.K[frame].numpy()
        fx, fy, cx, cy = K[0, 0] / width, K[1, 1] / height, K[0, 2] / width, K[1, 2] / height
        fx, fy = fx * covering[0], fy * covering[1]
        Ks.append(np.array([[fx, 0, cx * SIZE[1]], [0, fy, cy * SIZE[0]], [0, 0, 1]], np.float32))
    pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    K, poses = torch.from_numpy(np.stack(Ks)), capture.cameras.cam_from_world.float()
    network = load_pretrained(weights).network
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        output = network(pictures[CONTEXT][None], poses[CONTEXT][None], K[CONTEXT][None], None)
    cameras = Cameras(poses[TARGET], K[TARGET], torch.tensor(SIZE[::-1]).expand(3, 2))
    shown = render(output.gaussians.scene(0), cameras, background=pictures[CONTEXT].mean((0, 2, 3)))
    ours, theirs = shown.color.detach().clamp(0, 1).numpy(), pictures[TARGET].permute(0, 2, 3, 1).numpy()
    psnr = [
        peak_signal_noise_ratio(t.astype(float), o.astype(float), data_range=1)
        for o, t in zip(ours, theirs, strict=True)
    ]
    ssim = [
        structural_similarity(o, t, win_size=11, gaussian_weights=True, channel_axis=2, data_range=1.0)
        for o, t in zip(ours, theirs, strict=True)
    ]
    return float(np.mean(psnr)), float(np.mean(ssim))


def test_scores_are_those_worked_out_by_hand(captures: list[TinyCapture], config: EvalConfig) -> None:
    report = evaluate(config)
    hand = [by_hand(captures[i], config.weights) for i in (0, 2)]
    assert report["num_scenes"] == 2
    assert report["skipped"] == {"not in the data set": 1}
    assert report["mean"]["psnr"] == pytest.approx(np.mean([p for p, _ in hand]), abs=1e-6)
    assert report["mean"]["ssim"] == pytest.approx(np.mean([s for _, s in hand]), abs=1e-6)
    assert report["mean"]["lpips"] is None
    assert len(report["octave_gains"]) == 4
    assert report["octave_gains"][0] > max(report["octave_gains"][1:])
    with (Path(config.out) / "scenes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["psnr"]) for row in rows[:2]] == pytest.approx([p for p, _ in hand], abs=1e-6)
    assert rows[0]["lpips"] == "not measured"
    assert json.loads((Path(config.out) / "scores.json").read_text()) == json.loads(json.dumps(report))


def test_pictures_are_drawn_and_seconds_leave_out_the_first(config: EvalConfig) -> None:
    report = evaluate(config)
    pictures = sorted(Path(config.out).glob("*.png"))
    assert len(pictures) == 2
    with Image.open(pictures[0]) as picture:
        assert picture.size == (3 * SIZE[1], 3 * SIZE[0])
    assert report["seconds"] > 0
    assert report["num_gaussians"] == 2 * SIZE[0] * SIZE[1]


def test_the_command_prints_a_table(config: EvalConfig, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--weights", config.weights, "--folder", config.folder, "--index", config.index, "--out", config.out]
    assert main(["eval", *words, "--size", "[48, 64]", "--max_scenes", "1", "--threads", "1"]) == 0
    told = capsys.readouterr().out
    assert "mean of 1" in told
    assert "not measured" in told
    assert main(["eval", *words, "--size", "[48, 64]", "--num_context", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["num_gaussians"] == 3 * SIZE[0] * SIZE[1]


def test_an_index_of_other_captures_is_refused(config: EvalConfig, tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(json.dumps({"elsewhere": {"context": [0, 1], "target": [2]}}))
    other = EvalConfig(**(vars(config) | {"index": str(tmp_path / "index.json")}))
    with pytest.raises(InputError, match="1 x not in the data set"):
        evaluate(other)
    (tmp_path / "index.json").write_text(json.dumps({"0" * 16: {"context": [0, 99], "target": [2]}}))
    with pytest.raises(InputError, match="1 x frames of the evaluation index missing"):
        evaluate(other)


def test_pairs_that_overlap_almost_wholly_are_left_out_of_the_mean(
    captures: list[TinyCapture], config: EvalConfig, tmp_path: Path
) -> None:
    """As by NoPoSplat, whose figures are means over the three groups."""
    overlaps = {captures[0].name: 0.2, captures[1].name: 0.9, captures[2].name: 0.7}
    entries = {name: {"context": CONTEXT, "target": TARGET, "overlap": value} for name, value in overlaps.items()}
    (tmp_path / "index.json").write_text(json.dumps(entries))
    report = evaluate(EvalConfig(**(vars(config) | {"index": str(tmp_path / "index.json")})))
    assert report["num_scenes"] == 2
    assert set(report["by_overlap"]) == {"small", "large"}
    assert report["skipped"] == {"overlap above 0.8": 1}


def test_sizes_that_the_network_does_not_take_are_refused(config: EvalConfig) -> None:
    with pytest.raises(InputError, match="multiples of 16"):
        evaluate(EvalConfig(**(vars(config) | {"size": (50, 64)})))
