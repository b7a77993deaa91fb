"""Options of the main job, shared by the command line and Python; imports no torch."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from recon.errors import InputError

PoseSource = Literal["auto", "given", "sfm"]
DEVICES = "auto|cpu|cuda(:(0|[1-9][0-9]{0,2}))?"


@dataclass(frozen=True)
class ReconstructOptions:
    """Options of a reconstruction.

    Attributes:
        input: A folder of photographs, a folder with `transforms.json`, or such a JSON file.
        out: Folder of the results; made if absent.
        poses: Where the camera poses come from: "given" reads them from `transforms.json`, "sfm" finds them from the
            photographs, "auto" takes given ones where there are any.
        export: Files to write besides `scene.json`, comma-separated: ply, mp4, transforms.
        views: Use at most this many photographs, evenly spread.
        resolution: Long side of the images that the network sees, in pixels.
        seed: Seed of all random choices, 0 to 2^31 - 1.
        device: "cpu", "cuda", "cuda:N", or "auto" for CUDA where there is one.
        overwrite: Replace results that the output folder already holds.

    Raises:
        InputError: A value of `poses`, `seed` or `device` that is none of the above.
    """

    input: Path
    out: Path
    poses: PoseSource = "auto"
    export: tuple[str, ...] = ("ply", "mp4", "transforms")
    views: int | None = None
    resolution: int = 384
    seed: int = 0
    device: str = "auto"
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Look at what a caller from Python may get wrong; the command line checks types itself."""
        if self.poses not in get_args(PoseSource):
            raise InputError(f"poses is {self.poses!r}", hint=f"choose one of {', '.join(get_args(PoseSource))}")
        if type(self.seed) is not int or not 0 <= self.seed < 2**31:
            raise InputError(f"seed is {self.seed!r}, expected a whole number from 0 to {2**31 - 1}")
        if not isinstance(self.device, str) or not re.fullmatch(DEVICES, self.device):
            raise InputError(f"there is no device {self.device!r}", hint="choose auto, cpu, cuda, or cuda:N")
