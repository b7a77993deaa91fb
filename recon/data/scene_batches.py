"""Training batches from captures.

    capture number -> sampler: which frames -> their pictures, decoded -> window, mirror, colour -> tensors

A sample is a function of its number, the settings and the files on disk alone. So a run goes on where it stopped by the
number of its next step, any number of worker processes gives the same batches, and one optimiser step sees the same
samples however they are divided among processes.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from recon.data.augmentation import PosedViews, jitter_colour, mirror, random_crop_resize
from recon.data.captures.capture import Capture, CaptureSource
from recon.data.captures.checks import reason_of
from recon.data.captures.open_source import CaptureFormat, ReadOptions
from recon.data.epoch_order import epoch_order
from recon.data.views.config import ViewsConfig
from recon.data.views.selection import ViewSelection
from recon.errors import InputError, UnusableCaptureError

logger = logging.getLogger(__name__)

MAX_TRIES = 100
"""Captures in a row that may be unusable before the data set is given up."""
LAST_STEP = 2**62
"""Of any curriculum: held-out captures are as hard from the start as they will be at the end."""
HELD_OUT_BATCH, HELD_OUT_SEED = 2, 0
"""Of held-out batches, whatever those of training are like, so that the figures of runs can be compared."""


@dataclass(frozen=True)
class DataConfig:
    """What a batch is made of.

    Attributes:
        folder: The data set.
        format: One that `recon.data.captures` reads, or "auto".
        read: How it is read, and which captures are not used.
        size: Height and width of the images in pixels.
        batch_size: Captures of one optimiser step, over all processes and accumulated parts together.
        views: Which frames are context and which are targets; one number of context views is drawn for each step.
        smallest_crop: Least side of the random window, as a fraction of the largest; 1 is the centre crop.
        mirror: Probability of the mirror world.
        colour_jitter: Strength of the colour augmentation; 0 switches it off.
        workers: Processes that decode ahead; 0 decodes in the training process.
        seed: Seed of all sampling.
    """

    folder: str = ".cache/rooms"
    format: CaptureFormat = "rooms"
    read: ReadOptions = field(default_factory=ReadOptions)
    size: tuple[int, int] = (128, 128)
    batch_size: int = 2
    views: ViewsConfig = field(default_factory=ViewsConfig)
    smallest_crop: float = 0.5
    mirror: float = 0.5
    colour_jitter: float = 0.1
    workers: int = 0
    seed: int = 0


class SceneBatch(NamedTuple):
    """Context views, their depth where it is known, and the views to predict, for a batch of captures.

    `numbers` are those of the samples; `names` say which frames of which capture they are; `skipped` holds name and
    reason of each capture that was met and could not be used.
    """

    numbers: tuple[int, ...]
    names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    images: Float[Tensor, "batch views 3 height width"]
    cam_from_world: Float[Tensor, "batch views 4 4"]
    K: Float[Tensor, "batch views 3 3"]
    inverse_depth: Float[Tensor, "batch views height width"] | None
    target_images: Float[Tensor, "batch targets 3 height width"]
    target_cam_from_world: Float[Tensor, "batch targets 4 4"]
    target_K: Float[Tensor, "batch targets 3 3"]


class SceneBatches(Dataset[SceneBatch]):
    """Batches by the numbers of their samples.

    Args:
        source: Captures.
        config: What a batch is made of.
        augment: Random order, windows, mirroring and colour; else the captures in order, plain.

    Raises:
        InputError: There is no capture, or a setting makes no sense.
    """

    def __init__(self, source: CaptureSource, config: DataConfig, *, augment: bool):
        if not len(source):
            raise InputError(f"{config.folder} holds no capture to read", hint="see docs/training.md for the layouts")
        require_usable_data(config)
        self.source, self.config, self.augment = source, config, augment
        self._order: tuple[int, np.ndarray] | None = None

    def __getitem__(self, numbers: Sequence[int]) -> SceneBatch:
        """The samples of these numbers, which belong to one optimiser step."""
        step = numbers[0] // (self.config.batch_size if self.augment else HELD_OUT_BATCH)
        num_context = self.config.views.chosen.draw_num_context(self._rng(step, "step"))
        skipped: dict[str, str] = {}
        names, samples = zip(*(self._sample(number, num_context, step, skipped) for number in numbers), strict=True)
        context = [views for views, _ in samples]
        target = [views for _, views in samples]
        depths = [views.inverse_depth for views in context]
        return SceneBatch(
            numbers=tuple(numbers),
            names=names,
            skipped=tuple(skipped.items()),
            images=torch.stack([views.images for views in context]),
            cam_from_world=torch.stack([views.cam_from_world for views in context]),
            K=torch.stack([views.K for views in context]),
            inverse_depth=None if any(d is None for d in depths) else torch.stack([d for d in depths if d is not None]),
            target_images=torch.stack([views.images for views in target]),
            target_cam_from_world=torch.stack([views.cam_from_world for views in target]),
            target_K=torch.stack([views.K for views in target]),
        )

    def _sample(
        self, number: int, num_context: int, step: int, skipped: dict[str, str]
    ) -> tuple[str, tuple[PosedViews, PosedViews]]:
        """The capture of that number, or the next one that can be used; what is tried leaves no trace in the draws."""
        first, message = self._capture_of(number), ""
        for attempt in range(min(MAX_TRIES, len(self.source))):
            index = (first + attempt) % len(self.source)
            rng = self._rng(number, f"attempt {attempt}")
            try:
                capture = self.source[index]
                progress = step if self.augment else LAST_STEP
                selection = self.config.views.chosen.select(capture.cameras, progress, rng, num_context)
                name = f"{capture.name} context {selection.context} target {selection.target}"
                return name, self._views(capture, selection, rng)
            except InputError as error:
                skipped[self.source.names[index]] = reason_of(error)
                message = message or error.message
                logger.debug("left out %s: %s", self.source.names[index], error.message)
        raise InputError(
            f"{self.config.folder}: {min(MAX_TRIES, len(self.source))} captures in a row cannot be used: "
            + ", ".join(f"{count} x {reason}" for reason, count in Counter(skipped.values()).most_common(5))
            + f"; the first: {message}",
            hint="docs/formats.md says what is left out and why; data.read.checks are the bounds, data.views the "
            "frames that a sample needs",
        )

    def _views(
        self, capture: Capture, selection: ViewSelection, rng: np.random.Generator
    ) -> tuple[PosedViews, PosedViews]:
        """Context and target views, cut and augmented alike."""
        views = load_views(capture, [*selection.context, *selection.target])
        views = random_crop_resize(views, self.config.size, self.config.smallest_crop if self.augment else 1.0, rng)
        if self.augment:
            views = mirror(views) if rng.random() < self.config.mirror else views
            views = jitter_colour(views, self.config.colour_jitter, rng) if self.config.colour_jitter else views
        num = len(selection.context)
        depth = views.inverse_depth
        context = PosedViews(
            views.images[:num], views.cam_from_world[:num], views.K[:num], None if depth is None else depth[:num]
        )
        return context, PosedViews(views.images[num:], views.cam_from_world[num:], views.K[num:])

    def _capture_of(self, number: int) -> int:
        """Every capture once in an epoch: in a new random order, or as they are."""
        epoch, position = divmod(number, len(self.source))
        if not self.augment:
            return position
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, epoch_order(self.source, self._rng(epoch, "order"))
        return int(self._order[1][position])

    def _rng(self, number: int, purpose: str) -> np.random.Generator:
        seed = self.config.seed if self.augment else HELD_OUT_SEED
        return np.random.default_rng([seed, number, *purpose.encode()])


def load_views(capture: Capture, frames: Sequence[int]) -> PosedViews:
    """Decoded frames with their cameras, and depth where the capture has it.

    Raises:
        UnusableCaptureError: The pictures are of several sizes.
        FormatError: One is damaged.
    """
    pictures = [capture.picture(frame) for frame in frames]
    if len(sizes := {picture.shape[1::-1] for picture in pictures}) > 1:
        raise UnusableCaptureError(
            "pictures of several sizes", f"{capture.name}: pictures of {sorted(sizes)} pixels, expected one size"
        )
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
    cameras = capture.cameras[list(frames)]
    depth = None
    if capture.inverse_depth is not None:
        depth = torch.stack([capture.inverse_depth(frame) for frame in frames]).float()
    return PosedViews(images, cameras.cam_from_world.float(), cameras.K.float(), depth)


def require_usable_data(config: DataConfig) -> None:
    """Raise InputError where a setting makes no sense, before the data set is looked at."""
    if config.seed < 0:
        raise InputError(f"data.seed is {config.seed}, expected at least 0")
    if config.batch_size < 1:
        raise InputError(f"data.batch_size is {config.batch_size}, expected at least 1")
    if config.workers < 0:
        raise InputError(f"data.workers is {config.workers}, expected at least 0")
    if not 0 < config.smallest_crop <= 1:
        raise InputError(f"data.smallest_crop is {config.smallest_crop:g}, expected more than 0 and at most 1")
    if min(config.size) < 16:
        raise InputError(f"data.size is {config.size}, expected at least 16 x 16 pixels")
