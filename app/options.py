"""Options of the main job, shared by the command line and Python; imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


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
        seed: Seed of all random choices.
        device: "cpu", "cuda", or "auto" for CUDA where there is one.
        overwrite: Replace results that the output folder already holds.
    """

    input: Path
    out: Path
    poses: Literal["auto", "given", "sfm"] = "auto"
    export: tuple[str, ...] = ("ply", "mp4", "transforms")
    views: int | None = None
    resolution: int = 384
    seed: int = 0
    device: str = "auto"
    overwrite: bool = False
