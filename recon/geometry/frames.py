"""Which way is up, and the world frames that other programs use.

| frame | x | up | forward |
|---|---|---|---|
| opencv | right | -y | +z |
| opengl | right | +y | -z |
| blender | right | +z | +y |
"""

import re
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError, InputError
from recon.types import Cameras

WorldFrame = Literal["opencv", "opengl", "blender"]
UP_IN_FRAME: dict[str, tuple[float, float, float]] = {"opencv": (0, -1, 0), "opengl": (0, 1, 0), "blender": (0, 0, 1)}
# People tilt cameras by some 12 degrees more or less than level on average, and roll them by some 2.5.
_TRUST_IN_MEAN = (2.5 / 12) ** 2
_MIN_AGREEMENT = 0.3
_OPPOSITE = -0.7


def require_frame(name: str) -> WorldFrame:
    """The name, or InputError where there is no such frame."""
    for frame in get_args(WorldFrame):
        if name == frame:
            return frame
    raise InputError(f"there is no frame {name!r}", hint=f"choose one of {', '.join(get_args(WorldFrame))}")


def estimate_up(cameras: Cameras) -> Float[Tensor, "3"]:
    """Unit direction that is up in the world, float64, from how people hold cameras.

    The mean of the directions to the upper image edges is a first guess. Cameras are rolled less than they are tilted,
    so their x axes are nearly level: up minimises the mean of (up . x_i)^2 + trust |up - guess|^2. Where all cameras
    look the same way, their x axes say nothing about tilt, and the guess remains.

    Raises:
        GeometryError: The upper edges point all ways, as in photographs taken straight down.
    """
    world_from_cam = cameras.world_from_cam.double()
    guess = -world_from_cam[:, :3, 1].mean(0)
    if not float(guess.norm()) > _MIN_AGREEMENT:
        raise GeometryError(
            f"the cameras do not agree on which way is up (mean of {float(guess.norm()):.2f}, expected above "
            f"{_MIN_AGREEMENT})",
            hint="say it: --up x,y,z or --up none",
        )
    guess = torch.nn.functional.normalize(guess, dim=0)
    x = world_from_cam[:, :3, 0]
    normal = x.T @ x / len(x) + _TRUST_IN_MEAN * torch.eye(3, dtype=torch.float64, device=x.device)
    return torch.nn.functional.normalize(torch.linalg.solve(normal, _TRUST_IN_MEAN * guess), dim=0)


def parse_direction(text: str) -> Float[Tensor, "3"]:
    """A unit direction, float64, from `x,y,z` or a signed axis such as `+y`.

    Raises:
        InputError: It is neither, or zero.
    """
    axis = re.fullmatch(r"([+-])([xyz])", text)
    if axis:
        direction = torch.zeros(3, dtype=torch.float64)
        direction["xyz".index(axis[2])] = 1.0 if axis[1] == "+" else -1.0
        return direction
    try:
        direction = torch.tensor([float(part) for part in text.split(",")], dtype=torch.float64)
    except ValueError as error:
        raise InputError(f"{text!r} is no direction", hint="give x,y,z or a signed axis such as +y") from error
    length = float(direction.norm())
    if len(direction) != 3 or not 1e-12 < length < 1e12:
        raise InputError(f"{text!r} is no direction", hint="give three numbers x,y,z that are not all zero")
    return direction / length


def turn_up(up: Float[Tensor, "3"], target: Float[Tensor, "3"]) -> Float[Tensor, "3 3"]:
    """Rotation that takes `up` to `target`, both of unit length, and leaves x right.

    The smallest such rotation, so that a world that is upright already stays as it is. Where both are nearly opposite
    that one has no stable axis: then the world is first turned over about x, which is what leads from OpenCV axes to
    OpenGL axes.
    """
    up, target = up.double(), target.double()
    first = torch.eye(3, dtype=torch.float64)
    if float(up @ target) < _OPPOSITE:
        first = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64))
        if float(first @ up @ target) < _OPPOSITE:  # up is along x
            first = torch.diag(torch.tensor([-1.0, -1.0, 1.0], dtype=torch.float64))
        up = first @ up
    axis = torch.linalg.cross(up, target)
    x, y, z = axis.tolist()
    skew = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    smallest = torch.eye(3, dtype=torch.float64) + skew + skew @ skew / (1 + up @ target)  # Rodrigues
    return smallest @ first
