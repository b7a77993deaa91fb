"""Light at vertices: windows, lamps and one bounce, measured once for a scene and the same in all its views.

Only vertices that some view sees are measured. All vertices use the same directions and light samples, so that what
remains of the sampling error is a smooth pattern and not noise.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64

from recon.data.rooms.jit import compiled
from recon.data.rooms.kernels import facing_normals
from recon.data.rooms.world import Lighting, World

NUM_DIRECTIONS = 24
SMOOTHING_STEPS = 6
MAX_BOUNCED = 1.5
FURTHER_BOUNCES = 1.2
SAMPLES_PER_PORTAL = (3, 2)
MIN_CONTRIBUTION = 0.002
OFFSET = 0.004
CELL_INSIDE, CELL_OUTSIDE = 0.05, 0.3


@dataclass(frozen=True)
class PointLights:
    """Lights as points: position, normal (zero for balls), colour, and smallest squared distance used."""

    positions: Float32[np.ndarray, "lights 3"]
    normals: Float32[np.ndarray, "lights 3"]
    colors: Float32[np.ndarray, "lights 3"]
    min_squared: Float32[np.ndarray, " lights"]


def point_lights(lighting: Lighting, per_portal: tuple[int, int], per_lamp: int) -> PointLights:
    """Windows and lamps as sums of points; colours are over pi, as all light here."""
    rows: list[tuple[np.ndarray, np.ndarray, np.ndarray, float]] = []
    for portal in lighting.portals:
        origin, u, v = (np.array(x) for x in (portal.origin, portal.edge_u, portal.edge_v))
        cross = np.cross(u, v)
        area = float(np.linalg.norm(cross))
        share = area / (per_portal[0] * per_portal[1])
        for i in range(per_portal[0]):
            for j in range(per_portal[1]):
                place = origin + (i + 0.5) / per_portal[0] * u + (j + 0.5) / per_portal[1] * v
                rows.append((place, cross / area, np.array(portal.radiance) * share / np.pi, share))
    shifts = np.array([[0, 0, 0], [1, 0.3, 0], [-0.6, 0.8, 0], [-0.5, -0.8, 0]]) * 0.8
    for lamp in lighting.lamps:
        for k in range(per_lamp):
            place = np.array(lamp.position) + lamp.radius * shifts[k if per_lamp > 1 else 0]
            normal = np.array([0, 0, -1.0]) if lamp.down else np.zeros(3)
            rows.append((place, normal, np.array(lamp.intensity) / per_lamp / np.pi, 0.04))
    if not rows:
        empty = np.zeros((0, 3), np.float32)
        return PointLights(empty, empty, empty, np.zeros(0, np.float32))
    columns = [np.array(column, np.float32) for column in zip(*rows, strict=True)]
    return PointLights(*columns)


@compiled
def _unoccluded(point, normal, light, light_normal, min_squared):
    """Form factor of a point light; 0 when one faces away from the other."""
    x, y, z = light[0] - point[0], light[1] - point[1], light[2] - point[2]
    squared = x * x + y * y + z * z + 1e-9
    inverse = 1.0 / np.sqrt(squared)
    cos = (x * normal[0] + y * normal[1] + z * normal[2]) * inverse
    if cos <= 0.0:
        return 0.0
    if light_normal[0] != 0.0 or light_normal[1] != 0.0 or light_normal[2] != 0.0:
        cos_light = -(x * light_normal[0] + y * light_normal[1] + z * light_normal[2]) * inverse
        cos *= max(cos_light, 0.0)
    return cos / max(squared, min_squared)


@compiled
def _direct_rays(points, normals, outside, lights, light_normals, colors, min_squared, threshold):
    """Shadow rays from every point to every light that could matter, with owner and light."""
    capacity = len(points) * len(lights)
    rays = np.empty((capacity, 6), np.float32)
    owner = np.empty(capacity, np.int32)
    light_of = np.empty(capacity, np.int32)
    factor = np.empty(capacity, np.float32)
    count = 0
    for i in range(len(points)):
        if outside[i]:
            continue
        for j in range(len(lights)):
            form = _unoccluded(points[i], normals[i], lights[j], light_normals[j], min_squared[j])
            if form * (colors[j, 0] + colors[j, 1] + colors[j, 2]) < threshold:
                continue
            for c in range(3):
                rays[count, c] = points[i, c]
                rays[count, 3 + c] = lights[j, c] - points[i, c]
            owner[count], light_of[count], factor[count] = i, j, form
            count += 1
    return rays[:count], owner[:count], light_of[:count], factor[:count]


@compiled
def _strongest_rays(points, normals, lights, light_normals, colors, min_squared, threshold):
    """One shadow ray from each point to the light that would be strongest without shadows."""
    rays = np.zeros((len(points), 6), np.float32)
    light_of = np.full(len(points), -1, np.int32)
    factor = np.zeros(len(points), np.float32)
    for i in range(len(points)):
        best, best_value, total = -1, threshold, 0.0
        for j in range(len(lights)):
            form = _unoccluded(points[i], normals[i], lights[j], light_normals[j], min_squared[j])
            value = form * (colors[j, 0] + colors[j, 1] + colors[j, 2])
            total += value
            if value > best_value:
                best, best_value = j, value
                factor[i] = form
        light_of[i] = best
        if best >= 0:
            factor[i] *= min(total / best_value, 2.5)
            for c in range(3):
                rays[i, c] = points[i, c]
                rays[i, 3 + c] = lights[best, c] - points[i, c]
        else:
            rays[i, 5] = 1.0
    return rays, light_of, factor


@compiled
def _hemisphere_rays(points, normals, directions):
    """Rays around every normal; the frame is that of Duff et al. 2017."""
    rays = np.empty((len(points) * len(directions), 6), np.float32)
    for i in range(len(points)):
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        sign = 1.0 if nz >= 0.0 else -1.0
        a = -1.0 / (sign + nz)
        b = nx * ny * a
        for k in range(len(directions)):
            x, y, z = directions[k, 0], directions[k, 1], directions[k, 2]
            row = i * len(directions) + k
            for c in range(3):
                rays[row, c] = points[i, c]
            rays[row, 3] = x * (1.0 + sign * nx * nx * a) + y * b + z * nx
            rays[row, 4] = x * sign * b + y * (sign + ny * ny * a) + z * ny
            rays[row, 5] = -x * sign * nx - y * ny + z * nz
    return rays


def cosine_directions(count: int) -> Float32[np.ndarray, "count 3"]:
    """Low-discrepancy directions around z with density cos/pi."""
    index = np.arange(count)
    radius = np.sqrt((index + 0.5) / count)
    angle = 2 * np.pi * index * 0.6180339887
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - radius**2)], 1).astype(np.float32)


def cluster_vertices(
    world: World, vertices: Int64[np.ndarray, " visible"], normals: Float32[np.ndarray, "visible 3"]
) -> tuple[Int64[np.ndarray, " samples"], Int64[np.ndarray, " visible"]]:
    """Vertices near each other with about the same normal share a light sample: (representatives, sample of each)."""
    cell = np.where(world.exterior[vertices], CELL_OUTSIDE, CELL_INSIDE)[:, None]
    grid = np.floor(world.light_positions[vertices] / cell).astype(np.int64)
    facing = np.rint(normals * 1.49).astype(np.int64) + 2
    key = ((grid[:, 0] & 0xFFFF) << 48) | ((grid[:, 1] & 0xFFFF) << 32) | ((grid[:, 2] & 0xFFFF) << 16)
    key |= (facing[:, 0] * 25 + facing[:, 1] * 5 + facing[:, 2]) | (world.exterior[vertices].astype(np.int64) << 10)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)


def bake(
    world: World, vertices: Int64[np.ndarray, " visible"], normals: Float32[np.ndarray, "visible 3"]
) -> Float32[np.ndarray, "vertices 3"]:
    """Irradiance over pi at all vertices of a world; zero where `vertices` does not name one.

    Args:
        world: The world.
        vertices: Vertices that are seen.
        normals: Their normals, turned to the side that they are seen from.
    """
    first, inverse = cluster_vertices(world, vertices, normals)
    facing = normals[first]
    points = world.light_positions[vertices[first]] + OFFSET * facing
    outside = world.exterior[vertices[first]]
    light = _direct_light(world, points, facing, outside)
    bounced, openness = _bounced_light(world, points, facing, outside)
    bounced = _smooth(bounced, _neighbours(world, vertices, inverse), SMOOTHING_STEPS)
    light += bounced
    inside = ~outside
    if inside.any():
        further = FURTHER_BOUNCES * bounced[inside].mean(0)
        light[inside] += openness[inside, None] * (further + np.array(world.lighting.ambient, np.float32))
    result = np.zeros_like(world.positions)
    result[vertices] = light[inverse]
    return result


def _neighbours(
    world: World, vertices: Int64[np.ndarray, " visible"], inverse: Int64[np.ndarray, " visible"]
) -> Int64[np.ndarray, "pairs 2"]:
    """Pairs of light samples that share an edge of a triangle."""
    sample = np.full(len(world.positions), -1)
    sample[vertices] = inverse
    corners = sample[world.faces]
    corners = corners[(corners >= 0).all(1)]
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _smooth(
    values: Float32[np.ndarray, "samples 3"], pairs: Int64[np.ndarray, "pairs 2"], steps: int
) -> Float32[np.ndarray, "samples 3"]:
    """Replace each value by the mean of itself and its neighbours' mean, `steps` times."""
    count = len(values)
    a, b = pairs.T
    degree = (np.bincount(a, minlength=count) + np.bincount(b, minlength=count)).astype(np.float32)
    weight = np.where(degree > 0, 0.5, 0.0)[:, None].astype(np.float32)
    for _ in range(steps):
        total = np.stack(
            [np.bincount(a, values[b, c], count) + np.bincount(b, values[a, c], count) for c in range(3)], 1
        )
        values = (1 - weight) * values + weight * (total / np.maximum(degree, 1)[:, None]).astype(np.float32)
    return values


def _direct_light(
    world: World,
    points: Float32[np.ndarray, "samples 3"],
    normals: Float32[np.ndarray, "samples 3"],
    outside: Bool[np.ndarray, " samples"],
) -> Float32[np.ndarray, "samples 3"]:
    lights = point_lights(world.lighting, SAMPLES_PER_PORTAL, 4)
    total = np.zeros_like(points)
    if not len(lights.positions):
        return total
    rays, owner, light_of, factor = _direct_rays(
        points, normals, outside, lights.positions, lights.normals, lights.colors, lights.min_squared, MIN_CONTRIBUTION
    )
    factor = factor * ~world.occluded(rays, 0.995)
    for c in range(3):
        total[:, c] = np.bincount(owner, factor * lights.colors[light_of, c], len(points))
    return total


def _bounced_light(
    world: World,
    points: Float32[np.ndarray, "samples 3"],
    normals: Float32[np.ndarray, "samples 3"],
    outside: Bool[np.ndarray, " samples"],
) -> tuple[Float32[np.ndarray, "samples 3"], Float32[np.ndarray, " samples"]]:
    """Light from surfaces and sky around, and how open the surroundings are (0..1)."""
    directions = cosine_directions(NUM_DIRECTIONS)
    rays = _hemisphere_rays(points, normals, directions)
    face, _, distance = world.cast(rays)
    hit = face >= 0
    radiance = np.zeros((len(rays), 3), np.float32)
    sky = np.repeat(outside, NUM_DIRECTIONS) & ~hit
    radiance[sky] = world.lighting.sky
    radiance[hit] = _hit_radiance(world, rays[hit], face[hit], distance[hit])
    openness = np.minimum(distance, 1.0).reshape(-1, NUM_DIRECTIONS).mean(1)
    return radiance.reshape(-1, NUM_DIRECTIONS, 3).mean(1), openness


def _hit_radiance(
    world: World,
    rays: Float32[np.ndarray, "hits 6"],
    face: Int32[np.ndarray, " hits"],
    distance: Float32[np.ndarray, " hits"],
) -> Float32[np.ndarray, "hits 3"]:
    normal = facing_normals(face, rays, world.positions, world.faces)
    point = (rays[:, :3] + distance[:, None] * rays[:, 3:] + OFFSET * normal).astype(np.float32)
    lighting = world.lighting
    lights = point_lights(lighting, (1, 1), 1)
    light = np.zeros_like(point)
    if len(lights.positions):
        shadow, light_of, factor = _strongest_rays(
            point, normal, lights.positions, lights.normals, lights.colors, lights.min_squared, MIN_CONTRIBUTION
        )
        chosen = np.flatnonzero(light_of >= 0)
        factor[chosen] *= ~world.occluded(shadow[chosen], 0.995)
        light[chosen] = factor[chosen, None] * lights.colors[light_of[chosen]]
    if lighting.sun is not None:
        direction = np.array(lighting.sun.direction, np.float32)
        cos = np.maximum(normal @ direction, 0)
        lit = np.flatnonzero(cos > 0)
        toward = np.concatenate([point[lit], np.broadcast_to(direction, (len(lit), 3))], 1).astype(np.float32)
        cos[lit] *= ~world.occluded(toward, np.inf)
        light += cos[:, None] * np.array(lighting.sun.irradiance, np.float32)
    outside = world.exterior[world.faces[face, 0]]
    light[outside] += np.array(lighting.sky, np.float32) * (0.5 + 0.4 * normal[outside, 2:])
    material = world.face_material[face]
    return world.mean_color[material] * np.minimum(light, MAX_BOUNCED) + np.minimum(
        world.emission[material], MAX_BOUNCED
    )
