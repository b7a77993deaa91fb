"""Rooms for tests of training: a camera slides along a textured wall. Small, but of the form of real training rooms."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch.nn.functional import interpolate

from models.ilrm.config import ILRMConfig
from models.ilrm.nano.config import FeedbackConfig, NanoConfig
from models.ilrm.objective import OptimConfig
from models.training import TrainConfig, TrainerConfig
from recon.data.rooms.scene_file import SceneArrays, write_scene
from recon.data.scene_batches import DataConfig

SIDE, DEPTH, STEP, FOCAL = 64, 2.0, 0.0625, 64.0
SMALL = NanoConfig(
    dim=32,
    head_dim=16,
    num_layers=1,
    feature_dim=16,
    match_dim=8,
    coarse_planes=16,
    fine_planes=4,
    feedback=FeedbackConfig(passes=1, width=16, blocks=1),
)


def wall(seed: int) -> SceneArrays:
    """Eight views of a textured wall; each step moves the picture by two pixels."""
    generator = torch.Generator().manual_seed(seed)
    texture = interpolate(torch.rand(1, 3, 16, 24, generator=generator), size=(SIDE, SIDE + 32), mode="bicubic")[0]
    shift = round(STEP * FOCAL / DEPTH)
    views = [texture[:, :, shift * i : shift * i + SIDE] for i in range(8)]
    pose = np.tile(np.eye(4, dtype=np.float32), (8, 1, 1))
    pose[:, 0, 3] = -STEP * np.arange(8)
    K = np.array([[FOCAL, 0, SIDE / 2], [0, FOCAL, SIDE / 2], [0, 0, 1]], dtype=np.float32)
    images = (torch.stack(views).clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).numpy()
    depth = np.full((8, SIDE, SIDE), 1 / DEPTH, dtype=np.float16)
    return SceneArrays(images, depth, pose, np.tile(K, (8, 1, 1)))


def write_walls(folder: Path) -> Path:
    """Three rooms to train on and two held out."""
    for split, seeds in (("train", range(3)), ("val", range(10, 12))):
        (folder / split).mkdir()
        for seed in seeds:
            write_scene(folder / split / f"{seed:06d}.safetensors", wall(seed), {"seed": str(seed)})
    return folder


TINY = ILRMConfig(dim=32, head_dim=16, num_layers=1, viewpoint_factor=2, uplift=2, rays="origin", pixel_offset=True)


def small_run(rooms: Path, out: Path, network: Literal["ilrm-nano", "ilrm"] = "ilrm-nano", **trainer) -> TrainConfig:
    """A run of a few steps of a small network on one thread; `trainer` overrides settings of the trainer."""
    settings = {"max_steps": 4, "threads": 1, "log_every": 1, "val_every": 4, "val_batches": 1, "checkpoint_every": 2}
    return TrainConfig(
        network=network,
        nano=SMALL,
        ilrm=TINY,
        data=DataConfig(folder=str(rooms), size=(64, 64), batch_size=1, colour_jitter=0.05, seed=3),
        optim=OptimConfig(lr=2e-3, warmup_steps=2),
        trainer=TrainerConfig(out=str(out), **(settings | trainer)),
    )
