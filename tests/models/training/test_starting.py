"""Which processes a run may be started as, and by what."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from models.training import TrainerConfig, train
from models.training.callbacks import TimeShares
from models.training.processes import require_devices
from models.training.run import _trainer
from recon.errors import InputError, ResourceError
from tests.models.walls import small_run


def test_processes_that_would_each_train_alone_are_refused(
    walls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "8")
    with pytest.raises(InputError, match=r"8 processes were started \(WORLD_SIZE\), expected 1"):
        train(small_run(walls, tmp_path))


@pytest.mark.parametrize(
    ("gpus", "found", "remedy"),
    [
        (0, "no GPUs", "--trainer.devices 1 --trainer.accumulate 8"),
        (1, "1 GPU", "--trainer.devices 1 --trainer.accumulate 8"),
        (4, "4 GPUs", "--trainer.devices 4 --trainer.accumulate 2"),
        (3, "3 GPUs", "--trainer.devices 2 --trainer.accumulate 4"),
    ],
)
def test_more_gpus_than_there_are_are_refused(
    gpus: int, found: str, remedy: str, walls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published presets ask for eight. Processes on the CPU must be asked for."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    config = small_run(walls, tmp_path, devices=8)
    with pytest.raises(ResourceError, match=rf"trainer\.devices is 8, this machine has {found}\n") as caught:
        train(replace(config, data=replace(config.data, batch_size=8)))
    assert remedy in caught.value.hint
    require_devices(TrainerConfig(devices=max(gpus, 1)))
    require_devices(TrainerConfig(devices=8, accelerator="cpu"))


def test_slurm_keeps_to_the_checkpoints_of_the_run(
    walls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lightning would write another one, queue the job anew, and not find what it wrote."""

    def found() -> object:
        trainer = _trainer(small_run(walls, tmp_path), tmp_path, TimeShares(), [])
        return trainer._accelerator_connector.cluster_environment

    assert isinstance(found(), LightningEnvironment)
    for name, value in {"SLURM_NTASKS": "1", "SLURM_JOB_NAME": "train", "SLURM_JOB_ID": "7"}.items():
        monkeypatch.setenv(name, value)
    for name in ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID"):
        monkeypatch.setenv(name, "0")
    environment = found()
    assert isinstance(environment, SLURMEnvironment)
    assert not environment.auto_requeue
    for name in ("TORCHELASTIC_RUN_ID", "GROUP_RANK", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, "1" if "SIZE" in name else "0")
    assert isinstance(found(), TorchElasticEnvironment)
