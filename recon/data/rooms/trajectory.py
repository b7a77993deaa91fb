"""Paths of a hand-held camera through a site."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int32

from recon.data.rooms.layout import Site
from recon.data.rooms.plan import Rect
from recon.data.rooms.render import View, pixel_centers
from recon.errors import GeometryError

CLEARANCE = 0.36
PROBE = 24
MAX_ROLL = np.radians(2.0)
DOORWAY_SHARE = 0.42
KINDS = ("forward", "sideways", "arc", "walk", "pan")


@dataclass(frozen=True)
class PathLimits:
    """What a path must satisfy.

    Attributes:
        ratio: Smallest and largest distance of first and last camera over the median depth.
        overlap: Least mean share of the first (last) view that the last (first) one sees too.
        nearest: Fifth percentile of the depths, in metres.
        max_share: Largest share of a view that one material may fill.
        num_materials: Least number of materials in first and last view.
    """

    ratio: tuple[float, float] = (0.1, 0.8)
    overlap: float = 0.42
    nearest: float = 0.55
    max_share: float = 0.6
    num_materials: int = 7


def look(center: Float[np.ndarray, "3"], yaw: float, pitch: float, roll: float) -> Float[np.ndarray, "4 4"]:
    """cam_from_world of a camera that looks along azimuth `yaw`, `pitch` above the horizon (OpenCV axes)."""
    forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    rotation = np.stack([c * right + s * down, -s * right + c * down, forward])
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = -rotation @ center
    return matrix


def intrinsics(fov: float, size: int) -> Float[np.ndarray, "3 3"]:
    """K of a square image with horizontal field of view `fov` in radians."""
    focal_px = size / 2 / np.tan(fov / 2)
    return np.array([[focal_px, 0, size / 2], [0, focal_px, size / 2], [0, 0, 1]])


def _smooth_noise(rng: np.random.Generator, steps: Float[np.ndarray, " views"], sigma: float) -> np.ndarray:
    """A sum of two slow waves."""
    waves = [
        rng.normal(0, sigma) * np.sin(2 * np.pi * (rng.uniform(0.3, 1.4) * steps + rng.random())) for _ in range(2)
    ]
    return np.sum(waves, axis=0)


@dataclass(frozen=True)
class Start:
    """First camera of a path; `through` when it stands before a doorway and shall walk through it."""

    center: Float[np.ndarray, "3"]
    yaw: float
    pitch: float
    fov: float
    through: bool = False


def _lens(rng: np.random.Generator) -> tuple[float, float]:
    """Pitch and field of view."""
    return float(np.radians(rng.normal(-6, 5))), float(np.radians(50 + 35 * rng.beta(1.3, 1.7)))


def _before_doorway(site: Site, rng: np.random.Generator) -> Start:
    """Some steps before a doorway, looking through it."""
    middle, inward = site.ways[int(rng.integers(len(site.ways)))]
    along = np.array([-inward[1], inward[0]])
    through = bool(rng.random() < 0.55)
    spread, far = (0.03, 1.8) if through else (0.3, 3.2)
    place = middle + float(rng.uniform(0.5, far)) * inward + float(rng.normal(0, spread)) * along
    aim = middle - 0.8 * inward + float(rng.normal(0, spread)) * along - place
    center = np.array([*place, rng.uniform(1.2, 1.7)])
    return Start(center, float(np.arctan2(aim[1], aim[0])), *_lens(rng), through)


def _start(site: Site, rng: np.random.Generator) -> Start | None:
    if site.ways and rng.random() < DOORWAY_SHARE:
        start = _before_doorway(site, rng)
        x, y = start.center[:2]
        inside = any(r[0] < x < r[2] and r[1] < y < r[3] for r in site.floors)
        return start if inside and site.world.distance(start.center[None].astype(np.float32))[0] >= CLEARANCE else None
    areas = np.array([(r[2] - r[0]) * (r[3] - r[1]) for r in site.floors])
    floor: Rect = site.floors[int(rng.choice(len(areas), p=areas / areas.sum()))]
    margin = CLEARANCE + 0.05
    x, y = (rng.uniform(floor[i] + margin, max(floor[i + 2] - margin, floor[i] + margin + 0.01)) for i in (0, 1))
    center = np.array([x, y, rng.uniform(1.2, 1.7)])
    if site.outdoors:
        center[2] = rng.uniform(1.3, 2.4)
    if site.world.distance(center[None].astype(np.float32))[0] < CLEARANCE:
        return None
    azimuths = np.linspace(0, 2 * np.pi, 24, endpoint=False) + rng.uniform(0, 0.26)
    rays = np.zeros((24, 6), np.float32)
    rays[:, :3] = center
    rays[:, 3], rays[:, 4] = np.cos(azimuths), np.sin(azimuths)
    _, _, reach = site.world.cast(rays)
    weight = np.clip(reach, 0.3, 6.0) ** 2.5
    if site.outdoors:
        heading = site.headings[int(rng.integers(len(site.headings)))]
        weight = np.exp(-(((azimuths - heading + np.pi) % (2 * np.pi) - np.pi) ** 2) / 0.5)
    yaw = float(azimuths[rng.choice(24, p=weight / weight.sum())] + rng.normal(0, 0.1))
    return Start(center, yaw, *_lens(rng))


def _poses(start: Start, length: float, depth: float, steps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """cam_from_world along a path of a random kind; `depth` is the median depth of the first view."""
    kind = str(rng.choice(KINDS, p=[0.3, 0.18, 0.16, 0.28, 0.08]))
    if start.through:
        kind = "forward"
    forward = np.array([np.cos(start.yaw), np.sin(start.yaw), 0.0])
    side = np.array([-forward[1], forward[0], 0.0]) * rng.choice([-1, 1])
    yaw = np.full(len(steps), start.yaw)
    centers = start.center + np.zeros((len(steps), 3))
    if kind == "arc":
        radius = max(0.8 * depth, 1.0)
        angle = np.clip(length / radius, 0, 0.7) * steps * rng.choice([-1, 1])
        target = start.center + radius * forward
        c, s = np.cos(angle), np.sin(angle)
        back = -radius * forward
        centers[:, 0] = target[0] + c * back[0] - s * back[1]
        centers[:, 1] = target[1] + s * back[0] + c * back[1]
        yaw = start.yaw + angle
    else:
        lean = {"forward": rng.normal(0, 0.01 if start.through else 0.2), "sideways": np.pi / 2 + rng.normal(0, 0.15)}
        turn = lean.get(kind, rng.uniform(-1.2, 1.2))
        direction = np.cos(turn) * forward + np.sin(turn) * side
        if kind == "pan":
            length *= 0.5
        centers = centers + length * steps[:, None] * direction * (
            -1 if not start.through and rng.random() < 0.15 else 1
        )
        swing = {"walk": 0.4, "pan": 0.35}.get(kind, float(rng.choice([0.05, 0.3])))
        yaw = yaw + rng.normal(0, swing) * steps * start.fov
    centers[:, 2] += _smooth_noise(rng, steps, 0.012) + rng.normal(0, 0.03) * steps
    centers[:, :2] += _smooth_noise(rng, steps, 0.01)[:, None] * side[:2]
    pitch = start.pitch + _smooth_noise(rng, steps, 0.008) + rng.normal(0, 0.03) * steps
    roll = np.clip(rng.normal(0, 0.008) + _smooth_noise(rng, steps, 0.005), -MAX_ROLL, MAX_ROLL)
    yaw = yaw + _smooth_noise(rng, steps, 0.01)
    return np.stack([look(c, y, p, r) for c, y, p, r in zip(centers, yaw, pitch, roll, strict=True)])


@dataclass(frozen=True)
class Probe:
    """A view at low resolution: depth (infinite in the sky), material (-1 in the sky), share of things outdoors."""

    depth: Float32[np.ndarray, "probe probe"]
    material: Int32[np.ndarray, " pixels"]
    outside: float


def _probe(site: Site, view: View) -> Probe:
    world = site.world
    face, _, distance = world.cast(view.rays(pixel_centers(view.size)))
    material = np.where(face >= 0, world.face_material[face], -1).astype(np.int32)
    outside = (face < 0) | world.exterior[world.faces[face, 0]]
    return Probe(distance.reshape(PROBE, PROBE), material, float(outside.mean()))


def seen_share(first: View, first_depth: np.ndarray, second: View, second_depth: np.ndarray) -> float:
    """Share of the first view's pixels whose surface the second view shows too (within 10 % of depth)."""
    known = np.isfinite(first_depth.ravel())
    rays = first.rays(pixel_centers(first.size))[known]
    points = rays[:, :3] + first_depth.ravel()[known, None] * rays[:, 3:]
    local = points @ second.cam_from_world[:3, :3].T + second.cam_from_world[:3, 3]
    depth = local[:, 2]
    pixels = local[:, :2] / np.maximum(depth, 1e-6)[:, None] * np.diag(second.K)[:2] + second.K[:2, 2]
    inside = (depth > 0.05) & (pixels > 0).all(1) & (pixels < first.size).all(1)
    column, row = pixels[inside].astype(int).T
    seen = np.abs(second_depth[row, column] - depth[inside]) < 0.1 * depth[inside] + 0.1
    return float(seen.sum() / known.sum()) if known.any() else 0.0


def _interest(site: Site, views: list[View], limits: PathLimits) -> float:
    """How much a path shows, 0 if it breaks a limit: materials that fill at least 1 % of the first or last view."""
    centers = np.stack([v.center for v in views]).astype(np.float32)
    if site.world.distance(centers).min() < CLEARANCE:
        return 0.0
    steps = np.concatenate([centers[:-1], centers[1:] - centers[:-1]], 1)
    if site.world.occluded(np.ascontiguousarray(steps), 1.0).any():
        return 0.0
    probes = [_probe(site, view) for view in (views[0], views[-1])]
    interest = 30.0
    for probe in probes:
        if np.percentile(probe.depth, 5, method="lower") < limits.nearest or np.mean(probe.material < 0) > 0.6:
            return 0.0
        counts = np.unique(probe.material, return_counts=True)[1] / probe.material.size
        if counts.max() > limits.max_share or len(counts) < limits.num_materials:
            return 0.0
        interest += (counts > 0.01).sum() - 4 * counts.max() - (0 if site.outdoors else 8 * probe.outside)
    shares = [seen_share(views[a], probes[a].depth, views[b], probes[b].depth) for a, b in ((0, -1), (-1, 0))]
    median = np.median(np.concatenate([p.depth.ravel() for p in probes]))
    ratio = np.linalg.norm(centers[-1] - centers[0]) / median
    fits = limits.ratio[0] <= ratio <= limits.ratio[1] and np.mean(shares) >= limits.overlap and min(shares) > 0.3
    return float(interest) if fits else 0.0


def walk(
    site: Site,
    rng: np.random.Generator,
    num_views: int,
    size: int,
    limits: PathLimits | None = None,
    tries: int = 60,
    candidates: int = 6,
) -> list[View]:
    """Cameras along the most interesting of some random paths.

    Args:
        site: Where to walk.
        rng: Source of randomness.
        num_views: Number of cameras.
        size: Edge of their pictures in pixels.
        limits: What the path must satisfy.
        tries: Starts to try at most.
        candidates: Valid paths to choose from.

    Raises:
        GeometryError: No path satisfies the limits.
    """
    limits = limits or PathLimits()
    found: list[tuple[float, np.ndarray, float]] = []
    for _ in range(tries):
        start = _start(site, rng)
        path = None if start is None else _path_from(site, start, rng, num_views, limits)
        if start is not None and path is not None:
            found.append((*path, start.fov))
        if len(found) >= candidates:
            break
    if not found:
        raise GeometryError(f"no camera path found in {tries} tries", hint="take another seed")
    _, poses, fov = max(found, key=lambda f: f[0])
    if rng.random() < 0.3:
        poses = poses[::-1]
    return [View(p, intrinsics(fov, size), (size, size)) for p in poses]


def _path_from(
    site: Site, start: Start, rng: np.random.Generator, num_views: int, limits: PathLimits
) -> tuple[float, np.ndarray] | None:
    """Interest and cam_from_world of a path, shortened until it fits."""
    first = View(look(start.center, start.yaw, start.pitch, 0.0), intrinsics(start.fov, PROBE), (PROBE, PROBE))
    depth = _probe(site, first).depth
    median = float(np.median(depth))
    if np.percentile(depth, 5, method="lower") < limits.nearest or not np.isfinite(median):
        return None
    least = 0.5 * limits.ratio[1] if start.through else 1.4 * limits.ratio[0]
    length = float(rng.uniform(least, limits.ratio[1])) * median
    steps = (np.arange(num_views) + rng.uniform(-0.15, 0.15, num_views)) / max(num_views - 1, 1)
    for _ in range(3):
        poses = _poses(start, length, median, steps, rng)
        interest = _interest(site, [View(p, intrinsics(start.fov, PROBE), (PROBE, PROBE)) for p in poses], limits)
        if interest > 0:
            return interest, poses
        length *= 0.75
    return None
