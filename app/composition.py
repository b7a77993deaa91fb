"""The composition root: hands the networks to the pipeline. `from app import reconstruct` is the public call."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from app.options import ReconstructOptions
from models.ilrm.nano.reconstructor import NanoReconstructor
from recon.errors import ResourceError
from recon.pipeline.reconstruct import PipelineConfig, Result
from recon.pipeline.reconstruct import reconstruct as run_pipeline
from recon.sfm.estimator import SfmPoseEstimator


def reconstruct(
    input: str | Path | ReconstructOptions,
    out: str | Path | None = None,
    *,
    progress: Callable[[str], None] | None = None,
    **options: Any,
) -> Result:
    """Photographs in, a 3D scene out.

    Args:
        input: A folder of photographs, a folder with `transforms.json`, such a JSON file, or all options in one.
        out: Folder of the results.
        progress: Told each stage in words.
        **options: Further fields of `ReconstructOptions`.

    Returns:
        The scene, the files written and a report.

    Raises:
        ReconError: Of the kind that fits; its hint says what to do.
    """
    if not isinstance(input, ReconstructOptions):
        if out is None:
            raise TypeError("reconstruct() needs the output folder `out`")
        input = ReconstructOptions(Path(input), Path(out))
    chosen = replace(input, **options)
    config = PipelineConfig(
        poses=chosen.poses,
        views=chosen.views,
        resolution=chosen.resolution,
        export=chosen.export,
        seed=chosen.seed,
    )
    return run_pipeline(
        Path(chosen.input),
        Path(chosen.out),
        reconstructor=NanoReconstructor(device=pick_device(chosen.device)),
        pose_estimator=SfmPoseEstimator(),
        config=config,
        overwrite=chosen.overwrite,
        **({"progress": progress} if progress else {}),
    )


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" takes CUDA where there is one.

    Raises:
        ResourceError: CUDA is asked for and not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ResourceError(f"device {name!r} is not available on this machine", hint="use --device cpu")
    return torch.device(name)
