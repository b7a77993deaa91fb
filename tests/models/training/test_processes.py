"""The gradient of a step does not depend on how its samples are divided."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

SCRIPT = Path(__file__).parent / "gradients_of_a_step.py"
GUIDED = Path(__file__).parent / "guided_run.py"
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
RUN = Path(__file__).parent / "run_of_processes.py"
TOLERANCE = {"float32": 1e-5, "float64": 1e-6}


def gradients(
    out: Path, network: str, precision: str, walls: Path, *, devices: int, accumulate: int = 1
) -> torch.Tensor:
    out.mkdir()
    words = [sys.executable, str(SCRIPT), str(out), network, precision, str(walls), str(devices), str(accumulate)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = load_file(out / "gradients.safetensors")
    return torch.cat([found[name].double().flatten() for name in sorted(found)])


@pytest.mark.parametrize(
    ("network", "precision"),
    [
        pytest.param("ilrm-nano", "float32", marks=pytest.mark.slow),
        pytest.param("ilrm", "float32", marks=pytest.mark.slow),
        ("ilrm", "float64"),
    ],
)
def test_two_processes_give_the_gradient_of_one(network: str, precision: str, walls: Path, tmp_path: Path) -> None:
    """Gloo, four samples: as one batch of four, as two processes with two each, as two accumulated batches."""
    one = gradients(tmp_path / "one", network, precision, walls, devices=1)
    two = gradients(tmp_path / "two", network, precision, walls, devices=2)
    parts = gradients(tmp_path / "parts", network, precision, walls, devices=1, accumulate=2)
    assert one.norm() > 0
    for other in (two, parts):
        assert (other - one).norm() < TOLERANCE[precision] * one.norm()


@pytest.mark.slow
def test_two_processes_train_past_the_end_of_guides(walls: Path, tmp_path: Path) -> None:
    """Four steps with Gloo, of which the last two have no gradient for the guides: as one process does them."""
    found = []
    for devices in (1, 2):
        out = tmp_path / str(devices)
        done = subprocess.run(
            [sys.executable, str(GUIDED), str(out), str(walls), str(devices)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        stored = load_file(out / "weights" / "model.safetensors")
        assert not any("guide" in name for name in stored)
        found.append(torch.cat([stored[name].double().flatten() for name in sorted(stored)]))
    assert (found[1] - found[0]).norm() < 1e-3 * found[0].norm()


@pytest.mark.slow
def test_two_processes_of_torchrun_go_on_bit_for_bit(walls: Path, tmp_path: Path) -> None:
    """Four steps at once, and the last two of them again from the checkpoint between."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    (parts / "checkpoints").mkdir(parents=True)
    for out, begin in ((whole, "new"), (parts, "resume")):
        done = subprocess.run(
            [*TORCHRUN, str(RUN), str(out), str(walls), begin], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        if begin == "new":
            shutil.copy(whole / "checkpoints" / "step_0000002.ckpt", parts / "checkpoints")
    ends = [
        torch.load(out / "checkpoints" / "step_0000004.ckpt", weights_only=True)["state_dict"] for out in (whole, parts)
    ]
    assert all(torch.equal(ends[1][name], value) for name, value in ends[0].items())
