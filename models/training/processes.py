"""The processes of a run: how many, on which devices, and what started them."""

import os
from typing import Any

import torch
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from models.training.config import TrainerConfig
from recon.errors import InputError, ResourceError


def require_devices(settings: TrainerConfig) -> None:
    """Refuse more processes than this machine has GPUs, unless they are to run on its CPU.

    One process needs none: it takes the GPU where there is one, and else the CPU.

    Raises:
        ResourceError: There are fewer.
    """
    num = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if settings.accelerator == "auto" and settings.devices > max(num, 1):
        parts = settings.devices * settings.accumulate
        fewer = max(n for n in range(1, max(num, 1) + 1) if parts % n == 0)
        raise ResourceError(
            f"trainer.devices is {settings.devices}, this machine has {num or 'no'} GPU{'s' * (num != 1)}",
            hint=f"--trainer.devices {fewer} --trainer.accumulate {parts // fewer} computes the same steps here, more "
            "slowly; --trainer.accelerator cpu starts that many processes without GPUs",
        )


def require_started(settings: TrainerConfig) -> None:
    """Refuse a number of processes other than torchrun or SLURM has started: each would train for itself.

    Raises:
        InputError: They differ.
    """
    processes = settings.devices * settings.num_nodes
    for variable in ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS"):
        started = os.environ.get(variable, "")
        if started.isdigit() and int(started) != processes:
            raise InputError(
                f"{started} processes were started ({variable}), expected {processes}: trainer.devices x num_nodes",
                hint="give --trainer.devices the processes of each machine, and --trainer.num_nodes the machines",
            )


def environment() -> list[Any]:
    """What Lightning is to know of the program that started this process; nothing where it finds out by itself.

    Under SLURM it would put a checkpoint of its own beside those of the run, which is not read again, and queue the job
    anew. Queues do that themselves, and `trainer.resume` "auto" goes on from the newest checkpoint.
    """
    if TorchElasticEnvironment.detect() or not SLURMEnvironment.detect():
        return []
    return [SLURMEnvironment(auto_requeue=False)]
