"""`--frame` and `--up`: the world frame that a person asks for, applied to the whole scene before it is written."""

import logging
from dataclasses import replace

import torch

from recon.errors import GeometryError
from recon.geometry.frames import (
    UP_IN_FRAME,
    WorldFrame,
    estimate_up,
    parse_direction,
    require_frame,
    turn_up,
)
from recon.geometry.similarity import Similarity, transform_scene
from recon.types import Scene

log = logging.getLogger(__name__)


def check_framing(frame: str | None, up: str) -> None:
    """Raise InputError for options that `reframe` would refuse, before any work begins."""
    if frame is not None:
        require_frame(frame)
    if up not in ("auto", "none"):
        parse_direction(up)


def reframe(scene: Scene, frame: WorldFrame | None = None, up: str = "auto") -> Scene:
    """The scene turned about its origin so that up is where `frame` has it; scale and origin stay.

    Args:
        scene: In the frame of its poses.
        frame: "opencv" (up is -y), "opengl" (+y), "blender" (+z), or None to leave every number as it is.
        up: Direction in the frame of `scene` that is up: "x,y,z", a signed axis such as "+y"; "auto" to estimate it
            from the cameras; "none" for the -y of OpenCV axes, so that `frame` is a mere change of axes.

    Returns:
        The scene with `up` set where it is known, and the turn in its report under "frame":
        `frame_from_reconstruction`, 4x4.

    Raises:
        InputError: An option that is none of the above.
        GeometryError: A frame is asked for, and the cameras do not tell which way is up.
    """
    check_framing(frame, up)
    direction = _up_of(scene, up, required=frame is not None)
    known = scene.up if direction is None else (float(direction[0]), float(direction[1]), float(direction[2]))
    if frame is None:
        return replace(scene, up=known)
    start = torch.tensor(UP_IN_FRAME["opencv"], dtype=torch.float64) if direction is None else direction
    turn = Similarity.from_rotation(turn_up(start, torch.tensor(UP_IN_FRAME[frame], dtype=torch.float64)))
    record = {"name": frame, "up": up, "frame_from_reconstruction": turn.matrix.tolist()}
    return replace(transform_scene(replace(scene, up=known), turn), report=scene.report | {"frame": record})


def _up_of(scene: Scene, up: str, *, required: bool) -> torch.Tensor | None:
    if up == "none":
        return None
    if up != "auto":
        return parse_direction(up)
    try:
        return estimate_up(scene.cameras).cpu()
    except GeometryError as error:
        if required:
            raise
        log.info("up is not known: %s", error.message)
        return None
