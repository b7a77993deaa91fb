"""Settings of an evaluation."""

from dataclasses import dataclass, field
from typing import Any, Literal

from models.settings import size_multiple
from recon.data.captures.open_source import CaptureFormat, ReadOptions
from recon.errors import InputError


@dataclass(frozen=True)
class EvalConfig:
    """An evaluation.

    Attributes:
        weights: Name of shipped weights, or a folder.
        folder: The data set.
        index: JSON file of context and target frames: that of pixelSplat, MVSplat, NoPoSplat, DepthSplat, Long-LRM or
            FLARE.
        out: Folder of the results.
        format: Of the data set, or "auto".
        read: How it is read, and which captures are not used.
        split: Of the data set.
        size: Height and width of the images.
        fit: "cover" resizes until the size is covered and takes the middle, as evaluations on RealEstate10K do;
            "stretch" resizes each side for itself, as iLRM does on DL3DV at 544 x 960.
        num_context: Context views; None takes what the index says, more are put between its pair.
        max_scenes: Stop after so many captures; None for all.
        lpips_backbone: File of VGG-16 weights; without it LPIPS is not measured.
        lpips_heads: File of the linear heads of LPIPS 0.1; None takes the copy that comes with torchmetrics.
        pictures: Captures of which a comparison is drawn.
        untimed: First captures whose seconds do not count, for they include starting up.
        device: "cpu", "cuda", or "auto".
        threads: Threads.
        resume: Go on after the captures that an interrupted evaluation into `out` has scored, if there is one: with the
            same weights, index and options.
        overwrite: Replace results that `out` already holds.
    """

    weights: str = "ilrm-nano"
    folder: str = "data/re10k"
    index: str = "evaluation_index_re10k.json"
    out: str = "runs/eval"
    format: CaptureFormat = "auto"
    read: ReadOptions = field(default_factory=ReadOptions)
    split: str = "test"
    size: tuple[int, int] = (256, 256)
    fit: Literal["cover", "stretch"] = "cover"
    num_context: int | None = None
    max_scenes: int | None = None
    lpips_backbone: str | None = None
    lpips_heads: str | None = None
    pictures: int = 5
    untimed: int = 5
    device: str = "auto"
    threads: int = 2
    resume: bool = False
    overwrite: bool = False


def require_usable(config: EvalConfig) -> None:
    """Raise InputError where a setting makes no sense."""
    for name in ("num_context", "max_scenes", "threads"):
        value = getattr(config, name)
        if value is not None and value < 1:
            raise InputError(f"{name} is {value}, expected at least 1")
    if config.untimed < 0 or config.pictures < 0:
        raise InputError(f"untimed is {config.untimed} and pictures {config.pictures}, expected at least 0")
    if config.resume and config.overwrite:
        raise InputError("both resume and overwrite were asked for", hint="leave one of them out")
    if min(config.size) < 16:
        raise InputError(f"size is {config.size}, expected at least 16 x 16 pixels")


def require_fitting(config: EvalConfig, sizes: Any) -> None:
    """Raise InputError where the network does not take images of this size."""
    multiple = size_multiple(sizes)
    if any(side % multiple for side in config.size):
        raise InputError(f"size is {list(config.size)}, expected multiples of {multiple} for {config.weights}")
