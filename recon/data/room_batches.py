"""Training batches from rendered rooms."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from recon.data.augmentation import PosedViews, jitter_colour, mirror, random_crop_resize
from recon.data.room_scenes import RoomScene, RoomScenes
from recon.data.view_sampling import sample_views
from recon.errors import InputError

RESCAN_EVERY = 200
"""Batches after which new scenes are looked for, so that training may begin while scenes are still being made."""


@dataclass(frozen=True)
class RoomDataConfig:
    """What a batch is made of.

    Attributes:
        folder: Where `scripts/prepare_rooms` wrote.
        resolution: Side of the square images in pixels.
        batch_size: Scenes in a batch, per process.
        num_context: Numbers of context views, one drawn for a whole batch; repeat a number to draw it more often.
        num_targets: Views to predict per scene.
        smallest_crop: Least side of the random square, as a fraction of the rendered side.
        colour_jitter: Strength of the colour augmentation; 0 switches it off.
        seed: Seed of all sampling.
    """

    folder: str = ".cache/rooms"
    resolution: int = 128
    batch_size: int = 2
    num_context: tuple[int, ...] = (2, 2, 3, 4, 6)
    num_targets: int = 2
    smallest_crop: float = 0.5
    colour_jitter: float = 0.1
    seed: int = 0


class RoomBatch(NamedTuple):
    """Context views, their depth, and the views to predict, for a batch of scenes."""

    images: Float[Tensor, "batch views 3 height width"]
    inverse_depth: Float[Tensor, "batch views height width"]
    cam_from_world: Float[Tensor, "batch views 4 4"]
    K: Float[Tensor, "batch views 3 3"]
    target_images: Float[Tensor, "batch targets 3 height width"]
    target_cam_from_world: Float[Tensor, "batch targets 4 4"]
    target_K: Float[Tensor, "batch targets 3 3"]


class RoomBatches(Dataset[RoomBatch]):
    """Batch number i is a function of (seed, i) and the scenes on disk alone.

    Args:
        config: What a batch is made of.
        num_batches: Length.
        split: "train" (random views, augmented) or "val" (fixed views, plain).

    Raises:
        InputError: There is no scene yet, or a number of context views is too small.
    """

    def __init__(self, config: RoomDataConfig, num_batches: int, split: str = "train"):
        self.config = config
        self.num_batches = num_batches
        self.scenes = RoomScenes(config.folder, split)
        self.augment = split == "train"
        if not config.num_context or min(config.num_context) < 2:
            raise InputError(f"num_context is {config.num_context}, expected numbers of at least 2")

    def __len__(self) -> int:
        return self.num_batches

    def __getitem__(self, index: int) -> RoomBatch:
        if self.augment and index % RESCAN_EVERY == 0:
            self.scenes.refresh()
        rng = np.random.default_rng([self.config.seed, index])
        num_context = int(rng.choice(self.config.num_context))
        samples = []
        for slot in range(self.config.batch_size):
            position = index * self.config.batch_size + slot
            scene = self.scenes[int(rng.integers(len(self.scenes))) if self.augment else position % len(self.scenes)]
            samples.append(self._sample(scene, num_context, rng))
        return RoomBatch(*(torch.stack(parts) for parts in zip(*samples, strict=True)))

    def _sample(self, scene: RoomScene, num_context: int, rng: np.random.Generator) -> RoomBatch:
        views = PosedViews(
            scene.images.float() / 255, scene.inverse_depth.float(), scene.cam_from_world.float(), scene.K.float()
        )
        smallest = self.config.smallest_crop if self.augment else 1.0
        views = random_crop_resize(views, self.config.resolution, smallest, rng)
        if self.augment:
            views = mirror(views) if rng.random() < 0.5 else views
            views = jitter_colour(views, self.config.colour_jitter, rng) if self.config.colour_jitter else views
        selection = sample_views(len(views.images), num_context, self.config.num_targets, rng)
        context, target = selection.context, selection.target
        return RoomBatch(
            images=views.images[context],
            inverse_depth=views.inverse_depth[context],
            cam_from_world=views.cam_from_world[context],
            K=views.K[context],
            target_images=views.images[target],
            target_cam_from_world=views.cam_from_world[target],
            target_K=views.K[target],
        )
