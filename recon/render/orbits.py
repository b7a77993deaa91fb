"""Camera paths around a point: a level circle or part of one, and a small spiral for scenes seen from one side."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from recon.errors import GeometryError
from recon.geometry.frames import UP_IN_FRAME, estimate_up
from recon.geometry.normalise import reference_camera
from recon.geometry.projection import project
from recon.geometry.se3 import invert_rigid, rigid
from recon.types import Cameras, Gaussians

ELEVATION_DEG = 20.0
FIELD_OF_VIEW_DEG = 50.0
_SAMPLE = 50_000
_MIN_OPACITY = 0.2
_BOX = (0.05, 0.95)
_TURNS_OF_SPIRAL = 2
_MIN_SWEEP = math.radians(20)


@dataclass(frozen=True)
class Ring:
    """A level circle of cameras that look at one point.

    Attributes:
        focus: What the cameras look at.
        up: Unit direction.
        start: Unit direction from the axis to the first camera.
        radius: Of the circle, > 0.
        height: Of the circle above the focus, along `up`.
        sweep: Angle from the first camera to the last, counter-clockwise seen from above, radians; None for all around.
    """

    focus: Float[Tensor, "3"]
    up: Float[Tensor, "3"]
    start: Float[Tensor, "3"]
    radius: float
    height: float
    sweep: float | None = None


def orbit(ring: Ring, num_frames: int, K: Float[Tensor, "3 3"], size: Int[Tensor, "2"]) -> Cameras:
    """One turn, or to and fro along the sweep, that can be played in a loop."""
    angle = torch.arange(num_frames, dtype=torch.float64) * (2 * math.pi / num_frames)
    if ring.sweep is not None:
        angle = (1 - angle.cos()) / 2 * ring.sweep
    side = torch.linalg.cross(ring.up, ring.start)
    outward = angle.cos()[:, None] * ring.start + angle.sin()[:, None] * side
    centres = ring.focus + ring.radius * outward + ring.height * ring.up
    return _looking_at(centres, ring.focus, ring.up, K, size)


def spiral(cameras: Cameras, gaussians: Gaussians, num_frames: int) -> Cameras:
    """A loop near the mean camera that shows depth by parallax, as wide as the cameras are apart.

    All frames look at the point that the mean camera sees at the median depth of the scene (the path of Mildenhall et
    al., "Local Light Field Fusion", 2019, for photographs from one side).
    """
    mean = reference_camera(cameras.world_from_cam.double())
    offsets = (cameras.centers.double() - mean[:3, 3]) @ mean[:3, :3]
    depth = float(median_depths(gaussians, cameras).median())
    reach = torch.quantile(offsets.abs(), 0.8, dim=0).clamp(0.03 * depth, 0.3 * depth)
    angle = torch.arange(num_frames, dtype=torch.float64) * (2 * math.pi * _TURNS_OF_SPIRAL / num_frames)
    local = torch.stack([angle.cos(), angle.sin(), (angle / _TURNS_OF_SPIRAL).sin()], dim=-1) * reach
    centres = mean[:3, 3] + local @ mean[:3, :3].T
    focus = mean[:3, 3] + depth * mean[:3, 2]
    return _looking_at(centres, focus, -mean[:3, 1], cameras.K[0], cameras.size[0])


def ring_through(cameras: Cameras, gaussians: Gaussians, up: Float[Tensor, "3"]) -> Ring:
    """The circle at the median distance and height of the cameras around what they look at.

    Where no camera stands in more than a quarter of it, only the part in front of the cameras: the back of a scene that
    was photographed from one side is empty.
    """
    centres = cameras.centers.double()
    ahead = cameras.world_from_cam[:, :3, 2].double() * median_depths(gaussians, cameras)[:, None]
    focus = (centres + ahead).median(0).values
    offsets = centres - focus
    heights = offsets @ up
    level = offsets - heights[:, None] * up
    radius = float(level.norm(dim=-1).median())
    if not radius > 1e-3 * float(offsets.norm(dim=-1).max()):
        raise GeometryError(
            "the cameras stand above what they look at, there is no circle around it", hint="use another trajectory"
        )
    across = _across(up)
    azimuth = torch.atan2(level @ torch.linalg.cross(up, across), level @ across).sort().values
    gaps = torch.cat([azimuth[1:], azimuth[:1] + 2 * math.pi]) - azimuth
    widest = int(gaps.argmax())
    open_angle = float(gaps[widest])
    first = float(azimuth[(widest + 1) % len(azimuth)])
    sweep = None if open_angle < math.pi / 2 else max(2 * math.pi - open_angle, _MIN_SWEEP)
    if sweep == _MIN_SWEEP:
        first -= (_MIN_SWEEP - (2 * math.pi - open_angle)) / 2
    start = math.cos(first) * across + math.sin(first) * torch.linalg.cross(up, across)
    return Ring(focus, up, start, radius, float(heights.median()), sweep)


def ring_around(gaussians: Gaussians, up: Float[Tensor, "3"]) -> Ring:
    """A circle from which Gaussians without cameras are seen whole: 5 to 95 percent of them along each axis."""
    points = _sample(gaussians)
    low, high = torch.quantile(points, torch.tensor(_BOX, dtype=points.dtype), dim=0)
    half_diagonal = max(float((high - low).norm()) / 2, 1e-6)
    distance = half_diagonal / math.sin(math.radians(FIELD_OF_VIEW_DEG / 2))
    elevation = math.radians(ELEVATION_DEG)
    return Ring((low + high) / 2, up, _across(up), distance * math.cos(elevation), distance * math.sin(elevation))


def _across(up: Float[Tensor, "3"]) -> Float[Tensor, "3"]:
    """A level unit direction: of the coordinate axes the most level one, made level."""
    axis = torch.eye(3, dtype=torch.float64)[int(up.abs().argmin())]
    return torch.nn.functional.normalize(axis - (axis @ up) * up, dim=0)


def up_for_paths(cameras: Cameras | None, up: tuple[float, float, float] | None) -> Float[Tensor, "3"]:
    """The direction that is up, float64: as known, else as the cameras tell, else the -y of OpenCV axes."""
    if up is not None:
        return torch.nn.functional.normalize(torch.tensor(up, dtype=torch.float64), dim=0)
    if cameras is None:
        return torch.tensor(UP_IN_FRAME["opencv"], dtype=torch.float64)
    try:
        return estimate_up(cameras).cpu()
    except GeometryError:  # taken straight down: up is where they come from
        return torch.nn.functional.normalize(-cameras.world_from_cam[:, :3, 2].double().mean(0), dim=0).cpu()


def median_depths(gaussians: Gaussians, cameras: Cameras) -> Float[Tensor, " views"]:
    """Median z-depth of the Gaussians that each camera sees, float64.

    Raises:
        GeometryError: No camera sees any.
    """
    points = _sample(gaussians)
    depths = []
    for i in range(len(cameras)):
        pixels, depth = project(points, cameras.cam_from_world[i].double(), cameras.K[i].double())
        inside = ((pixels >= 0) & (pixels < cameras.size[i])).all(-1) & (depth > 0)
        depths.append(depth[inside].median() if bool(inside.any()) else depth.new_tensor(float("nan")))
    found = torch.stack(depths)
    if bool(found.isnan().all()):
        raise GeometryError("no camera sees a Gaussian", hint="do the cameras belong to these Gaussians?")
    return torch.where(found.isnan(), found.nanmedian(), found)


def _sample(gaussians: Gaussians) -> Float[Tensor, "points 3"]:
    """Centres of at most _SAMPLE Gaussians that can be seen, evenly taken; of all where none can."""
    if not len(gaussians):
        raise GeometryError("there are no Gaussians, expected at least one")
    seen = gaussians.means[gaussians.opacities > _MIN_OPACITY]
    points = seen if len(seen) else gaussians.means
    return points[:: len(points) // _SAMPLE + 1].double().cpu()


def _looking_at(
    centres: Float[Tensor, "frames 3"],
    focus: Float[Tensor, "3"],
    up: Float[Tensor, "3"],
    K: Float[Tensor, "3 3"],
    size: Int[Tensor, "2"],
) -> Cameras:
    """Cameras at the centres that look at the focus and are level."""
    forward = torch.nn.functional.normalize(focus - centres, dim=-1)
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, up.expand_as(forward)), dim=-1)
    down = torch.linalg.cross(forward, right)
    num = len(centres)
    return Cameras(
        cam_from_world=invert_rigid(rigid(torch.stack([right, down, forward], dim=-1), centres)).float(),
        K=K.expand(num, 3, 3).contiguous(),
        size=size.expand(num, 2).contiguous(),
    )
