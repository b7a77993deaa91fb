"""The composition root: hands the networks to the pipeline. `from app import reconstruct` is the public call."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from app.options import ReconstructOptions
from models.device import pick_device
from models.reconstructors import load_reconstructor
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.pipeline.config import PipelineConfig
from recon.pipeline.progress import Observer
from recon.pipeline.reconstruct import Result
from recon.pipeline.reconstruct import reconstruct as run_pipeline
from recon.sfm.estimator import SfmPoseEstimator


def reconstruct(
    input: str | Path | Sequence[str | Path] | ReconstructOptions,
    out: str | Path | None = None,
    *,
    observer: Observer | None = None,
    limits: Limits = DEFAULT_LIMITS,
    **options: Any,
) -> Result:
    """Photographs in, a 3D scene out.

    Args:
        input: What `ReconstructOptions.input` says, or all options in one.
        out: Folder of the results.
        observer: Told each stage, and shown what it made; by default the stages are logged.
        limits: Bounds on the input.
        **options: Further fields of `ReconstructOptions`.

    Returns:
        The scene, the files written and a report.

    Raises:
        ReconError: Of the kind that fits; its hint says what to do.
    """
    if not isinstance(input, ReconstructOptions):
        if out is None:
            raise TypeError("reconstruct() needs the output folder `out`")
        whole = input if isinstance(input, (str, Path)) else tuple(Path(path) for path in input)
        input = ReconstructOptions(whole, Path(out))
    elif out is not None:
        raise TypeError("reconstruct() takes the output folder from the options; give either of them")
    chosen = replace(input, **options)
    shared = {field.name for field in fields(PipelineConfig)}
    config = PipelineConfig(**{name: value for name, value in vars(chosen).items() if name in shared})
    return run_pipeline(
        chosen.input,
        Path(chosen.out),
        reconstructor=load_reconstructor(str(chosen.weights), pick_device(chosen.device)),
        pose_estimator=SfmPoseEstimator(),
        config=config,
        overwrite=chosen.overwrite,
        resume=chosen.resume,
        observer=observer,
        limits=limits,
    )
