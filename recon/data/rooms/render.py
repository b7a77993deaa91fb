"""Photographs of a world: rays, adaptive supersampling, mirror images, light, camera response.

One ray a pixel finds the surfaces. Pixels at the border of bodies, shadows and mirror images get four more. Textures
are filtered over the footprint of the pixel, so that the rest needs no more rays.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32, Int64, UInt8

from recon.data.rooms.bake import bake
from recon.data.rooms.edges import find_edges
from recon.data.rooms.kernels import facing_normals, shade
from recon.data.rooms.tone import CameraResponse, develop
from recon.data.rooms.world import World

# A rotated grid of 2x2 samples in a pixel.
SUBPIXELS = np.array([[-0.125, -0.375], [0.375, -0.125], [-0.375, 0.125], [0.125, 0.375]], np.float32)
MIN_MIRROR = 0.012
METAL_MIRROR = 0.5
# Samples are clipped a little above white before they are averaged, or borders of windows would stay jagged.
CLIP_BEFORE_MEAN = 1.2


@dataclass(frozen=True)
class View:
    """A pinhole camera: OpenCV axes, K in pixels with the first pixel's centre at (0.5, 0.5), width and height."""

    cam_from_world: Float[np.ndarray, "4 4"]
    K: Float[np.ndarray, "3 3"]
    size: tuple[int, int]

    @property
    def center(self) -> Float[np.ndarray, "3"]:
        """Camera centre in the world."""
        return -self.cam_from_world[:3, :3].T @ self.cam_from_world[:3, 3]

    def rays(self, pixels: Float[np.ndarray, "rays 2"]) -> Float32[np.ndarray, "rays 6"]:
        """Rays through pixel positions; directions have depth 1, so that hit distances are z-depths."""
        camera = np.empty((len(pixels), 3))
        camera[:, :2] = (pixels - self.K[:2, 2]) / np.diag(self.K)[:2]
        camera[:, 2] = 1
        directions = camera @ self.cam_from_world[:3, :3]
        rays = np.empty((len(pixels), 6), np.float32)
        rays[:, :3] = self.center
        rays[:, 3:] = directions
        return rays


def pixel_centers(size: tuple[int, int]) -> Float32[np.ndarray, "pixels 2"]:
    """(x, y) of all pixel centres of a picture of `size` (width, height), row by row."""
    x, y = np.meshgrid(*(np.arange(length, dtype=np.float32) + 0.5 for length in size))
    return np.stack([x.ravel(), y.ravel()], 1)


@dataclass(frozen=True)
class Hits:
    """Rays with what they hit first.

    Attributes:
        rays: Origins and directions.
        face: Face or -1.
        bary: Weights of the second and third corner.
        distance: In lengths of the direction.
        normal: Unit face normals on the side of the origin; zero where nothing is hit.
        spread: Angle of a pixel in radians.
        sun: 1 where the sun shines on the hit.
    """

    rays: Float32[np.ndarray, "rays 6"]
    face: Int32[np.ndarray, " rays"]
    bary: Float32[np.ndarray, "rays 2"]
    distance: Float32[np.ndarray, " rays"]
    normal: Float32[np.ndarray, "rays 3"]
    spread: Float32[np.ndarray, " rays"]
    sun: Float32[np.ndarray, " rays"]


def trace(world: World, rays: Float32[np.ndarray, "rays 6"], spread: Float32[np.ndarray, " rays"]) -> Hits:
    """First hits with normals and sunshine."""
    face, bary, distance = world.cast(rays)
    normal = facing_normals(face, rays, world.positions, world.faces)
    return Hits(rays, face, bary, distance, normal, spread, _sunshine(world, rays, distance, normal))


def _sunshine(world: World, rays: np.ndarray, distance: np.ndarray, normal: np.ndarray) -> Float32[np.ndarray, " rays"]:
    shines = np.zeros(len(rays), np.float32)
    if world.lighting.sun is None:
        return shines
    direction = np.array(world.lighting.sun.direction, np.float32)
    lit = np.flatnonzero(normal @ direction > 0)
    toward = np.empty((len(lit), 6), np.float32)
    toward[:, :3] = rays[lit, :3] + distance[lit, None] * rays[lit, 3:] + 0.003 * normal[lit]
    toward[:, 3:] = direction
    shines[lit] = ~world.occluded(toward, np.inf)
    return shines


@dataclass(frozen=True)
class Mirrored:
    """Mirror images: `owner` are indices into the hits that mirror, `weight` how much."""

    owner: Int64[np.ndarray, " mirrored"]
    weight: Float32[np.ndarray, " mirrored"]
    hits: Hits


def trace_mirrors(world: World, hits: Hits) -> Mirrored:
    """What glossy surfaces show: Fresnel-weighted (Schlick 1994) rays in the mirror direction."""
    mirror = np.where(hits.face >= 0, world.surface[world.face_material[hits.face], 1], 0)
    owner = np.flatnonzero(mirror > 0)
    direction = hits.rays[owner, 3:] / np.linalg.norm(hits.rays[owner, 3:], axis=1, keepdims=True)
    normal = hits.normal[owner]
    cos = -np.einsum("ij,ij->i", direction, normal)
    base = mirror[owner]
    weight = np.where(base > METAL_MIRROR, base, base + (0.7 - base) * np.clip(1 - cos, 0, 1) ** 5 - MIN_MIRROR)
    keep = weight > 0
    owner, weight, direction, normal, cos = (a[keep] for a in (owner, weight, direction, normal, cos))
    rays = np.empty((len(owner), 6), np.float32)
    rays[:, :3] = hits.rays[owner, :3] + hits.distance[owner, None] * hits.rays[owner, 3:] + 0.002 * normal
    rays[:, 3:] = direction + 2 * cos[:, None] * normal
    blur = np.where(weight > METAL_MIRROR, 1.0, 3.0).astype(np.float32)
    return Mirrored(owner, weight.astype(np.float32), trace(world, rays, blur * 2 * hits.spread[owner]))


def seen_vertices(world: World, hits: list[Hits]) -> tuple[Int64[np.ndarray, " seen"], Float32[np.ndarray, "seen 3"]]:
    """Vertices of all hit faces with their normals turned to the side from which they are seen most."""
    face = np.concatenate([h.face for h in hits])
    normal = np.concatenate([h.normal for h in hits])
    ray_of_face = np.full(len(world.faces), -1)
    hit = np.flatnonzero(face >= 0)
    ray_of_face[face[hit]] = hit
    seen = np.flatnonzero(ray_of_face >= 0)
    index = ray_of_face[seen]
    votes = np.zeros(len(world.positions), np.float32)
    marked = np.zeros(len(world.positions), bool)
    for corner in range(3):
        vertex = world.faces[seen, corner]
        votes += np.bincount(vertex, np.einsum("ij,ij->i", world.normals[vertex], normal[index]), len(votes))
        marked[vertex] = True
    vertices = np.flatnonzero(marked)
    return vertices, world.normals[vertices] * np.where(votes[vertices] < 0, -1, 1)[:, None].astype(np.float32)


@dataclass(frozen=True)
class Renders:
    """Pictures of a world.

    Attributes:
        images: sRGB.
        inverse_depth: 1 / z-depth in 1/metres at pixel centres; 0 where there is only sky.
    """

    images: UInt8[np.ndarray, "views height width 3"]
    inverse_depth: Float32[np.ndarray, "views height width"]


@dataclass(frozen=True)
class Traced:
    """Everything that rays can tell of some views before light is known.

    Attributes:
        shape: Number of views, height, width.
        centre: One hit a pixel, through its centre.
        centre_mirror: What these mirror.
        edge: Pixels with further samples.
        owner: The pixel of each further sample.
        border: The further samples.
        border_mirror: What these mirror.
    """

    shape: tuple[int, int, int]
    centre: Hits
    centre_mirror: Mirrored
    edge: Bool[np.ndarray, " pixels"]
    owner: Int64[np.ndarray, " samples"]
    border: Hits
    border_mirror: Mirrored

    @property
    def hits(self) -> list[Hits]:
        """All hits."""
        return [self.centre, self.border, self.centre_mirror.hits, self.border_mirror.hits]

    @property
    def inverse_depth(self) -> Float32[np.ndarray, "views height width"]:
        """1 / z-depth at pixel centres, 0 in the sky."""
        inverse = np.where(self.centre.face >= 0, 1 / self.centre.distance, 0)
        return inverse.astype(np.float32).reshape(self.shape)


def trace_views(world: World, views: list[View]) -> Traced:
    """Trace pictures of one size."""
    width, height = views[0].size
    shape = (len(views), height, width)
    grid = pixel_centers(views[0].size)
    spread = [np.full(len(grid), 1.0 / v.K[0, 0], np.float32) for v in views]
    centre = trace(world, np.concatenate([v.rays(grid) for v in views]), np.concatenate(spread))
    centre_mirror = trace_mirrors(world, centre)
    edge = find_edges(world, centre, centre_mirror, shape)
    owner, rays = _border_rays(views, grid, edge)
    border = trace(world, rays, np.full(len(rays), 0.5 / views[0].K[0, 0], np.float32))
    return Traced(shape, centre, centre_mirror, edge, owner, border, trace_mirrors(world, border))


def render(world: World, views: list[View], response: CameraResponse) -> Renders:
    """Photograph a world from cameras of one image size."""
    traced = trace_views(world, views)
    light = bake(world, *seen_vertices(world, traced.hits))
    radiance, white = expose(world, traced, light, response)
    return Renders(develop(radiance, white, response), traced.inverse_depth)


def expose(
    world: World, traced: Traced, light: Float32[np.ndarray, "vertices 3"], response: CameraResponse
) -> tuple[Float32[np.ndarray, "views height width 3"], float]:
    """Radiance of all pixels and the radiance that becomes white; `light` is irradiance over pi at vertices."""
    radiance = _radiance(world, traced.centre, traced.centre_mirror, light)
    white = response.white_level(radiance)
    fine = np.minimum(_radiance(world, traced.border, traced.border_mirror, light), CLIP_BEFORE_MEAN * white)
    for c in range(3):
        total = np.bincount(traced.owner, fine[:, c], len(radiance))
        radiance[traced.edge, c] = total[traced.edge] / len(SUBPIXELS)
    return radiance.reshape(*traced.shape, 3), white


def _border_rays(
    views: list[View], grid: np.ndarray, edge: Bool[np.ndarray, " pixels"]
) -> tuple[Int64[np.ndarray, " rays"], Float32[np.ndarray, "rays 6"]]:
    owners, rays = [], []
    for i, view in enumerate(views):
        pixel = np.flatnonzero(edge[i * len(grid) : (i + 1) * len(grid)])
        owners.append(np.repeat(pixel + i * len(grid), len(SUBPIXELS)))
        rays.append(view.rays((grid[pixel][:, None] + SUBPIXELS).reshape(-1, 2)))
    return np.concatenate(owners), np.concatenate(rays)


def _radiance(world: World, hits: Hits, mirrored: Mirrored, light: np.ndarray) -> Float32[np.ndarray, "rays 3"]:
    radiance = _shade(world, hits, light)
    reflected = _shade(world, mirrored.hits, light)
    weight = mirrored.weight[:, None]
    radiance[mirrored.owner] = (1 - weight) * radiance[mirrored.owner] + weight * reflected
    return radiance


def _shade(world: World, hits: Hits, light: np.ndarray) -> Float32[np.ndarray, "rays 3"]:
    lighting = world.lighting
    sun = lighting.sun
    places = [p.origin + np.array(p.edge_u) / 2 + np.array(p.edge_v) / 2 for p in lighting.portals]
    places += [np.array(lamp.position) for lamp in lighting.lamps]
    strength = [np.array(p.radiance) for p in lighting.portals] + [np.array(lamp.intensity) for lamp in lighting.lamps]
    out = np.empty((len(hits.face), 3), np.float32)
    shade(
        hits.face, hits.bary, hits.distance, hits.rays, hits.spread, hits.sun,
        np.array(sun.direction if sun else (0, 0, 1), np.float32),
        np.array(sun.irradiance if sun else (0, 0, 0), np.float32),
        np.array(places, np.float32).reshape(-1, 3), np.array(strength, np.float32).reshape(-1, 3),
        world.positions, world.normals, world.uvs, world.faces, world.face_material,
        world.tint, world.emission, world.surface, world.texture,
        world.texels, world.texture_start, world.texture_size, light,
        lighting.panorama, lighting.panorama_turn, lighting.panorama_gain, out,
    )  # fmt: skip
    return out
