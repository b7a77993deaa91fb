"""Options of the main job, shared by the command line and Python; imports no torch."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from recon.errors import InputError

PoseSource = Literal["auto", "given", "sfm"]
Quality = Literal["fast", "balanced", "best"]
Frame = Literal["opencv", "opengl", "blender"]
DEVICES = "auto|cpu|cuda(:(0|[1-9][0-9]{0,2}))?"


@dataclass(frozen=True)
class ReconstructOptions:
    """Options of a reconstruction.

    Attributes:
        input: Photographs: a folder, image files, a pattern such as 'photos/*.jpg', a video, a zip archive, a COLMAP
            model, or a transforms.json.
        out: Folder of the results; made if absent.
        poses: Where the camera poses come from: "given" reads them from the input, "sfm" finds them from the
            photographs, "auto" takes given ones where there are any.
        export: Files to write besides `scene.json`, comma-separated: ply, splat, spz, glb, points, mesh, mp4, depth,
            transforms, colmap.
        views: Use at most this many photographs, evenly spread.
        fps: Frames per second taken from a video, the sharpest of each interval; about 40 in all by default.
        quality: "fast" (256 px, no refinement), "balanced" (384 px) or "best" (512 px, long refinement).
        resolution: Long side of the images that the network sees, in pixels, instead of that of `quality`.
        refine: Most steps of refinement on the photographs, instead of those of `quality`; 0 for none.
        refine_poses: Let refinement move the cameras too.
        frame: World axes of the results: "opencv" (up is -y), "opengl" (+y), "blender" (+z); by default those of the
            given poses, or of the first camera.
        up: Which way is up, for `frame` and for camera paths: "auto", "none", a signed axis such as "+y", or "x,y,z".
        seed: Seed of all random choices, 0 to 2^31 - 1.
        device: "cpu", "cuda", "cuda:N", or "auto" for CUDA where there is one.
        overwrite: Replace results that the output folder already holds.
        resume: Go on with what an interrupted run into the same output folder has finished.
        weights: What makes the Gaussians: the name of weights that ship, or a folder of weights, such as
            `recon weights import` and `recon train` write.

    Raises:
        InputError: A value of `poses`, `quality`, `seed` or `device` that is none of the above.
    """

    input: Path | str | tuple[Path, ...]
    out: Path
    poses: PoseSource = "auto"
    export: tuple[str, ...] = ("ply", "mp4", "transforms")
    views: int | None = None
    fps: float | None = None
    quality: Quality = "balanced"
    resolution: int | None = None
    refine: int | None = None
    refine_poses: bool = False
    frame: Frame | None = None
    up: str = "auto"
    seed: int = 0
    device: str = "auto"
    overwrite: bool = False
    resume: bool = False
    weights: str | Path = "ilrm-nano"

    def __post_init__(self) -> None:
        """Look at what a caller from Python may get wrong; the command line checks types itself."""
        if self.poses not in get_args(PoseSource):
            raise InputError(f"poses is {self.poses!r}", hint=f"choose one of {', '.join(get_args(PoseSource))}")
        if self.quality not in get_args(Quality):
            raise InputError(f"quality is {self.quality!r}", hint=f"choose one of {', '.join(get_args(Quality))}")
        if type(self.seed) is not int or not 0 <= self.seed < 2**31:
            raise InputError(f"seed is {self.seed!r}, expected a whole number from 0 to {2**31 - 1}")
        if not isinstance(self.device, str) or not re.fullmatch(DEVICES, self.device):
            raise InputError(f"there is no device {self.device!r}", hint="choose auto, cpu, cuda, or cuda:N")
        if not self.weights or not isinstance(self.weights, (str, Path)):
            raise InputError(f"weights is {self.weights!r}", hint="name weights that ship, or their folder")
