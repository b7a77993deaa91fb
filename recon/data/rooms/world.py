"""A world: all triangles, materials, textures and lights of one scene, ready to be traced."""

from dataclasses import dataclass, field

import numpy as np
import open3d as o3d
from jaxtyping import Bool, Float32, Int32, Int64, UInt8

from recon.data.rooms.library import Texture
from recon.data.rooms.mesh import MeshPart

Color = tuple[float, float, float]
WHITE: Color = (1.0, 1.0, 1.0)
BLACK: Color = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Material:
    """Appearance of a surface; colours in linear light.

    Attributes:
        tint: Multiplies the texture, or the plain colour without one.
        texture: Slot in the world's texture table, -1 for none.
        repeats: Texture repeats per unit of the part's uvs.
        specular: Strength of the highlights of lamps and windows.
        mirror: Reflectance at normal incidence of a mirror-like coat; 0 for none.
        emission: Light that the surface itself sends out.
    """

    tint: Color = WHITE
    texture: int = -1
    repeats: tuple[float, float] = (1.0, 1.0)
    specular: float = 0.0
    mirror: float = 0.0
    emission: Color = BLACK


@dataclass(frozen=True)
class Portal:
    """A window as a light: a rectangle that sends out `radiance` towards its normal edge_u x edge_v."""

    origin: tuple[float, float, float]
    edge_u: tuple[float, float, float]
    edge_v: tuple[float, float, float]
    radiance: Color


@dataclass(frozen=True)
class Lamp:
    """A small ball of light; `intensity` is radiant intensity, `down` limits it to the lower half space."""

    position: tuple[float, float, float]
    radius: float
    intensity: Color
    down: bool = False


@dataclass(frozen=True)
class Sun:
    """Parallel light; `direction` points to the sun, `irradiance` is on a surface that faces it, over pi."""

    direction: tuple[float, float, float]
    irradiance: Color


@dataclass
class Lighting:
    """All lights of a world.

    Attributes:
        portals: Windows.
        lamps: Lamps.
        sun: The sun if it shines.
        sky: Mean radiance of the open sky.
        ambient: What many bounces add everywhere.
        panorama: Texture slot of the distant view.
        panorama_gain: Radiance of a white panorama texel.
        panorama_turn: Azimuth of its first column, in turns.
    """

    portals: list[Portal] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    sun: Sun | None = None
    sky: Color = WHITE
    ambient: Color = (0.05, 0.05, 0.05)
    panorama: int = -1
    panorama_gain: float = 1.0
    panorama_turn: float = 0.0


@dataclass(frozen=True)
class World:
    """A scene in arrays.

    Attributes:
        positions: Vertices.
        normals: Shading normals.
        uvs: Texture coordinates before the repeats of the material are applied.
        faces: Vertex indices.
        light_positions: Where light is measured for each vertex.
        exterior: Vertices under the open sky.
        face_material: Row of the material tables.
        tint: Linear colours of materials.
        emission: Linear radiance of materials.
        surface: Specular, mirror, and texture repeats along u and v of materials.
        texture: Texture slot of materials or -1.
        mean_color: Mean linear reflectance of materials.
        texels: All texture pyramids one after another.
        texture_start: First texel of each texture.
        texture_size: Edge of each texture.
        lighting: Lights.
        scene: Ray tracing structure over the triangles.
    """

    positions: Float32[np.ndarray, "vertices 3"]
    normals: Float32[np.ndarray, "vertices 3"]
    uvs: Float32[np.ndarray, "vertices 2"]
    faces: Int32[np.ndarray, "faces 3"]
    light_positions: Float32[np.ndarray, "vertices 3"]
    exterior: Bool[np.ndarray, " vertices"]
    face_material: Int32[np.ndarray, " faces"]
    tint: Float32[np.ndarray, "materials 3"]
    emission: Float32[np.ndarray, "materials 3"]
    surface: Float32[np.ndarray, "materials 4"]
    texture: Int32[np.ndarray, " materials"]
    mean_color: Float32[np.ndarray, "materials 3"]
    texels: UInt8[np.ndarray, "texels 3"]
    texture_start: Int64[np.ndarray, " textures"]
    texture_size: Int32[np.ndarray, " textures"]
    lighting: Lighting
    scene: o3d.t.geometry.RaycastingScene

    def cast(self, rays: Float32[np.ndarray, "rays 6"]) -> tuple[Int32[np.ndarray, " rays"], np.ndarray, np.ndarray]:
        """First hits: face (-1 for none), barycentric uv [rays, 2], distance in lengths of the ray direction."""
        hit = self.scene.cast_rays(o3d.core.Tensor.from_numpy(rays), nthreads=1)
        face = hit["primitive_ids"].numpy().view(np.int32)
        return face, hit["primitive_uvs"].numpy(), hit["t_hit"].numpy()

    def occluded(self, rays: Float32[np.ndarray, "rays 6"], far: float) -> Bool[np.ndarray, " rays"]:
        """Whether anything lies on each ray between its origin and `far` lengths of its direction."""
        return self.scene.test_occlusions(o3d.core.Tensor.from_numpy(rays), tfar=far, nthreads=1).numpy()

    def distance(self, points: Float32[np.ndarray, "points 3"]) -> Float32[np.ndarray, " points"]:
        """Distance of points to the nearest surface in metres."""
        return self.scene.compute_distance(o3d.core.Tensor.from_numpy(points), nthreads=1).numpy()


class WorldBuilder:
    """Collects parts, materials and textures and joins them into a `World`."""

    def __init__(self):
        self.lighting = Lighting()
        self._parts: list[MeshPart] = []
        self._exterior: list[Bool[np.ndarray, " vertices"]] = []
        self._face_material: list[Int32[np.ndarray, " faces"]] = []
        self._materials: dict[Material, int] = {}
        self._textures: dict[tuple[str, int], tuple[int, Texture]] = {}

    def texture(self, owner: str, index: int, texture: Texture) -> int:
        """Slot of a texture; `owner` and `index` name it, so that it is stored once."""
        key = (owner, index)
        if key not in self._textures:
            self._textures[key] = (len(self._textures), texture)
        return self._textures[key][0]

    def material(self, material: Material) -> int:
        """Row of a material."""
        return self._materials.setdefault(material, len(self._materials))

    def add(self, part: MeshPart, material: Material | Int32[np.ndarray, " faces"], exterior: bool = False) -> None:
        """Add a part with one material, or with a material row for each face."""
        self._parts.append(part)
        self._exterior.append(np.full(len(part.positions), exterior))
        if isinstance(material, Material):
            material = np.full(len(part.faces), self.material(material), np.int32)
        self._face_material.append(material)

    def build(self) -> World:
        """Join everything and build the ray tracing structure."""
        starts = np.cumsum([0, *(len(p.positions) for p in self._parts[:-1])])
        positions = np.concatenate([p.positions for p in self._parts])
        faces = np.concatenate([p.faces + np.int32(s) for p, s in zip(self._parts, starts, strict=True)])
        face_material = np.concatenate(self._face_material)
        scene = o3d.t.geometry.RaycastingScene(nthreads=1)
        scene.add_triangles(o3d.core.Tensor.from_numpy(positions), o3d.core.Tensor.from_numpy(faces.astype(np.uint32)))
        return World(
            positions=positions,
            normals=np.concatenate([p.normals for p in self._parts]),
            uvs=np.concatenate([p.uvs for p in self._parts]),
            faces=faces,
            light_positions=np.concatenate([p.light_positions for p in self._parts]),
            exterior=np.concatenate(self._exterior),
            face_material=face_material,
            lighting=self.lighting,
            scene=scene,
            **self._material_tables(),
            **self._texture_tables(),
        )

    def _material_tables(self) -> dict[str, np.ndarray]:
        materials = list(self._materials)
        textures = {slot: texture for slot, texture in self._textures.values()}
        tint = np.array([m.tint for m in materials], np.float32)
        mean = [np.ones(3) if m.texture < 0 else _mean_linear(textures[m.texture]) for m in materials]
        return {
            "tint": tint,
            "emission": np.array([m.emission for m in materials], np.float32),
            "surface": np.array([(m.specular, m.mirror, *m.repeats) for m in materials], np.float32),
            "texture": np.array([m.texture for m in materials], np.int32),
            "mean_color": (tint * np.array(mean)).astype(np.float32),
        }

    def _texture_tables(self) -> dict[str, np.ndarray]:
        textures = [texture for _, texture in self._textures.values()]
        pyramids = [t.pyramid for t in textures] or [np.zeros((1, 3), np.uint8)]
        return {
            "texels": np.concatenate(pyramids),
            "texture_start": np.cumsum([0, *(len(p) for p in pyramids[:-1])]).astype(np.int64),
            "texture_size": np.array([t.size for t in textures] or [1], np.int32),
        }


def _mean_linear(texture: Texture) -> Float32[np.ndarray, "3"]:
    return (texture.pyramid[-1].astype(np.float32) / 255) ** 2.2
