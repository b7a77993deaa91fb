"""Evaluation of a small network on tiny chunks against figures worked out by other means."""

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from app.cli import main
from models.evaluation import EvalConfig, evaluate
from models.evaluation import score as scoring
from models.evaluation.memory import PeakMemory
from models.hub import load_pretrained, save_pretrained
from models.ilrm.module import ILRMModule, Prediction
from models.ilrm.nano.network import NanoILRM
from models.layers.precision import bfloat16_where_fast
from recon.data.captures.capture import Capture, CaptureSource
from recon.data.captures.open_source import open_captures
from recon.data.evaluation import EvaluationSample, evaluation_samples
from recon.data.scene_batches import SceneBatch
from recon.errors import ExportError, FormatError, InputError, LimitError
from recon.metrics.image import psnr
from recon.metrics.lpips import LPIPS
from recon.render.rasterizer import render
from recon.types import Cameras
from recon.vgg.network import VGGFeatures, VGGLayout
from tests.models.walls import SMALL
from tests.tiny_captures import TinyCapture, tiny_captures, write_re10k

evaluating = import_module("models.evaluation.evaluate")  # whose name the function hides
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
        out=str(folder / "out"), size=SIZE, untimed=1, threads=1, overwrite=True,
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
    pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()  # channels last is summed otherwise
    K, poses = torch.from_numpy(np.stack(Ks)), capture.cameras.cam_from_world.float()
    network = load_pretrained(weights).network
    with torch.no_grad(), bfloat16_where_fast(torch.device("cpu")):
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


@pytest.mark.parametrize("noise", [0.0316, 0.033, 0.035])
def test_psnr_of_about_30_db_is_that_worked_out_by_hand(
    noise: float, captures: list[TinyCapture], config: EvalConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that renders its one target with noise of this standard deviation."""
    generator = torch.Generator().manual_seed(0)
    hand: list[float] = []

    def noisy(self: ILRMModule, prediction: Prediction, batch: SceneBatch, *_: Any) -> torch.Tensor:
        truth = batch.target_images
        rendered = truth + noise * torch.randn(truth.shape, generator=generator)
        shown = rendered.double().clamp(0, 1).numpy()
        hand.append(float(peak_signal_noise_ratio(truth.double().numpy(), shown, data_range=1)))
        return rendered

    monkeypatch.setattr(ILRMModule, "render", noisy)
    entries = {capture.name: {"context": CONTEXT, "target": TARGET[:1]} for capture in captures}
    (tmp_path / "index.json").write_text(json.dumps(entries))
    report = evaluate(replace(config, index=str(tmp_path / "index.json"), out=str(tmp_path / "out")))
    assert hand == pytest.approx([30, 30, 30], abs=1)
    assert [float(row["psnr"]) for row in rows_of(tmp_path / "out")[:3]] == pytest.approx(hand, abs=1e-6)
    assert report["mean"]["psnr"] == pytest.approx(np.mean(hand), abs=1e-6)


def flat_at(*targets: int) -> Callable[..., Iterator[EvaluationSample | InputError]]:
    """Samples, some targets of which show one colour everywhere."""

    def samples(*words: Any, **named: Any) -> Iterator[EvaluationSample | InputError]:
        for sample in evaluation_samples(*words, **named):
            if isinstance(sample, EvaluationSample):
                sample.target.images[list(targets)] = 0.7
            yield sample

    return samples


def test_a_flat_target_leaves_the_gains_to_the_others(
    captures: list[TinyCapture], config: EvalConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = []
    for number, (targets, flat) in enumerate([(TARGET, [0]), (TARGET[1:], [])]):
        index = tmp_path / f"{number}.json"
        index.write_text(json.dumps({captures[0].name: {"context": CONTEXT, "target": targets}}))
        monkeypatch.setattr(evaluating, "evaluation_samples", flat_at(*flat))
        reports.append(evaluate(replace(config, index=str(index), out=str(tmp_path / str(number)))))
    assert reports[0]["octave_gains"] == pytest.approx(reports[1]["octave_gains"], rel=1e-5)


def test_gains_of_flat_targets_alone_are_null(config: EvalConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluating, "evaluation_samples", flat_at(0, 1, 2))
    evaluate(config)
    text = (Path(config.out) / "scores.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)["octave_gains"] == [None] * 4


def test_pictures_are_drawn_and_seconds_leave_out_the_first(config: EvalConfig) -> None:
    report = evaluate(config)
    pictures = sorted(Path(config.out).glob("*.png"))
    assert len(pictures) == 2
    with Image.open(pictures[0]) as picture:
        assert picture.size == (3 * SIZE[1], 3 * SIZE[0])
    assert report["seconds"] > 0
    assert report["num_gaussians"] == 2 * SIZE[0] * SIZE[1]


def test_memory_is_that_of_the_device_that_was_used(monkeypatch: pytest.MonkeyPatch, config: EvalConfig) -> None:
    """Counted anew for what is measured. On a CPU there is no such figure, and that of the process stands alone."""
    peaks = {"cuda:0": 7, "cuda:1": 9_000}
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: peaks.update({str(device): 0}))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: peaks[str(device)])
    with PeakMemory(torch.device("cuda:1")) as memory:
        peaks["cuda:1"] += 500
    assert (memory.num_bytes, peaks["cuda:0"]) == (500, 7)
    report = evaluate(config)
    assert report["peak_memory_bytes"] is None
    assert report["process_memory_bytes"] > 50e6


def test_a_device_that_is_none_is_refused(config: EvalConfig, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--weights", config.weights, "--folder", config.folder, "--index", config.index, "--out", config.out]
    assert main(["eval", *words, "--device", "foo"]) == 2
    assert "expected auto, cpu, cuda or cuda:N" in capsys.readouterr().err


def test_figures_do_not_depend_on_how_many_targets_are_rendered_and_compared_at_once(
    config: EvalConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no more than that many are: captures of DL3DV have dozens of large targets."""
    at_once: list[int] = []

    class NotingLPIPS(LPIPS):
        def forward(self, rendered: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            at_once.append(len(rendered))
            return super().forward(rendered, target)

    def noting(self: ILRMModule, prediction: Prediction, *rest: Any) -> torch.Tensor:
        at_once.append(prediction.target_cam_from_world.shape[1])
        return render(self, prediction, *rest)

    layout = VGGLayout((1, 1), (4, 4), (1, 1), "max")
    torch.manual_seed(3)
    backbone = VGGFeatures(layout, {name: torch.rand(shape) for name, shape in layout.shapes.items()})
    monkeypatch.setattr(evaluating, "_lpips", lambda *_: NotingLPIPS(backbone, [torch.ones(4), torch.ones(4)]))
    render = ILRMModule.render
    monkeypatch.setattr(ILRMModule, "render", noting)
    reports, most = [], []
    for number in (1, 2, 8):
        at_once.clear()
        monkeypatch.setattr(scoring, "AT_ONCE", number)
        reports.append(evaluate(config))
        most.append(max(at_once))
    assert most == [1, 2, 3]
    assert reports[0]["mean"]["lpips"] > 0
    for report in reports[1:]:
        assert report["mean"] == pytest.approx(reports[0]["mean"], rel=1e-6)
        assert report["octave_gains"] == pytest.approx(reports[0]["octave_gains"], rel=1e-5)


def test_the_command_prints_a_table(config: EvalConfig, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--weights", config.weights, "--folder", config.folder, "--index", config.index, "--out", config.out]
    words += ["--overwrite", "true"]
    assert main(["eval", *words, "--size", "[48, 64]", "--max_scenes", "1", "--threads", "1"]) == 0
    told = capsys.readouterr().out
    assert "mean of 1" in told
    assert "not measured" in told
    assert main(["eval", *words, "--size", "[48, 64]", "--num_context", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["num_gaussians"] == 3 * SIZE[0] * SIZE[1]


class Faulty:
    """A data set, some captures of which cannot be read."""

    def __init__(self, source: CaptureSource, faults: dict[str, Exception]):
        self.source, self.faults, self.names = source, faults, source.names

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Capture:
        if self.names[index] in self.faults:
            raise self.faults[self.names[index]]
        return self.source[index]


@pytest.fixture
def three(
    captures: list[TinyCapture], config: EvalConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[EvalConfig, dict[str, Exception]]:
    """An evaluation of three captures, and what is raised in place of one of them."""
    (tmp_path / "index.json").write_text(
        json.dumps({capture.name: {"context": CONTEXT, "target": TARGET} for capture in captures})
    )
    faults: dict[str, Exception] = {}
    monkeypatch.setattr(evaluating, "open_captures", lambda *words: Faulty(open_captures(*words), faults))
    return replace(config, index=str(tmp_path / "index.json"), out=str(tmp_path / "out"), overwrite=False), faults


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "scenes.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (LimitError("too large"), "larger than allowed"),
        (InputError("the chunk is gone"), "unreadable file"),
        (FormatError("torn"), "damaged file"),
    ],
)
def test_a_capture_that_cannot_be_read_is_counted(
    fault: Exception, reason: str, three: tuple[EvalConfig, dict[str, Exception]], captures: list[TinyCapture]
) -> None:
    config, faults = three
    faults[captures[0].name] = fault
    report = evaluate(config)
    assert (report["num_scenes"], report["skipped"]) == (2, {reason: 1})


def test_a_score_that_is_not_finite_is_counted(
    three: tuple[EvalConfig, dict[str, Exception]], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, _ = three
    nan_once = iter([True, False, False])
    monkeypatch.setattr(scoring, "psnr", lambda a, b: psnr(a, b) * (math.nan if next(nan_once) else 1))
    report = evaluate(config)
    assert (report["num_scenes"], report["skipped"]) == (2, {"score not finite": 1})


def test_what_was_scored_before_an_end_is_written_and_gone_on_from(
    three: tuple[EvalConfig, dict[str, Exception]], captures: list[TinyCapture], tmp_path: Path
) -> None:
    config, faults = three
    whole = evaluate(replace(config, out=str(tmp_path / "whole")))
    faults[captures[1].name] = MemoryError("as where something unforeseen ends it")
    with pytest.raises(MemoryError):
        evaluate(config)
    assert [row["scene"] for row in rows_of(Path(config.out))] == [captures[0].name, "mean of 1"]
    faults.clear()
    faults[captures[0].name] = AssertionError("a capture that was scored is not read again")
    report = evaluate(replace(config, resume=True))
    assert report["num_scenes"] == 3
    for name in ("mean", "octave_gains", "num_gaussians"):
        assert report[name] == whole[name]
    assert rows_of(Path(config.out)) == rows_of(tmp_path / "whole")
    assert evaluate(replace(config, resume=True))["mean"] == whole["mean"]


def test_an_evaluation_of_something_else_is_not_gone_on_with(
    three: tuple[EvalConfig, dict[str, Exception]], captures: list[TinyCapture], tmp_path: Path
) -> None:
    config, _ = three
    evaluate(replace(config, resume=True, max_scenes=1))
    with pytest.raises(ExportError, match="already holds files") as caught:
        evaluate(config)
    assert "--overwrite" in caught.value.hint
    assert "--resume" in caught.value.hint
    with pytest.raises(InputError, match="num_context was None, now 3"):
        evaluate(replace(config, resume=True, num_context=3))
    torch.manual_seed(1)
    save_pretrained(tmp_path / "weights", "ilrm-nano", NanoILRM(SMALL), SMALL)
    with pytest.raises(InputError, match="weights_sha256 was"):
        evaluate(replace(config, resume=True, weights=str(tmp_path / "weights")))
    index = {captures[0].name: {"context": CONTEXT, "target": TARGET}}
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="index_sha256 was"):
        evaluate(replace(config, resume=True))
    assert evaluate(replace(config, overwrite=True))["num_scenes"] == 1
    with pytest.raises(InputError, match="both resume and overwrite"):
        evaluate(replace(config, resume=True, overwrite=True))


def test_an_index_of_other_captures_is_refused(config: EvalConfig, tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(json.dumps({"elsewhere": {"context": [0, 1], "target": [2]}}))
    other = replace(config, index=str(tmp_path / "index.json"))
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
    report = evaluate(replace(config, index=str(tmp_path / "index.json")))
    assert report["num_scenes"] == 2
    assert set(report["by_overlap"]) == {"small", "large"}
    assert report["skipped"] == {"overlap above 0.8": 1}


def test_sizes_that_the_network_does_not_take_are_refused(config: EvalConfig) -> None:
    with pytest.raises(InputError, match="multiples of 16"):
        evaluate(replace(config, size=(50, 64)))
