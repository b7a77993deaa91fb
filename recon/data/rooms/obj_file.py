"""Wavefront OBJ and MTL text to arrays, as much of the format as furniture catalogues use."""

import itertools
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Float32, Int32

Corner = tuple[int, int, int]


@dataclass(frozen=True)
class ObjMaterial:
    """What an MTL file says of a material, colours as in the file (sRGB).

    Attributes:
        color: Diffuse colour Kd.
        specular: Mean of Ks.
        opacity: 1 opaque, 0 invisible.
        texture: Path of map_Kd relative to the MTL file, or "".
    """

    color: tuple[float, float, float] = (0.8, 0.8, 0.8)
    specular: float = 0.0
    opacity: float = 1.0
    texture: str = ""


@dataclass(frozen=True)
class ObjModel:
    """Triangles whose corners share vertices where position, texture coordinate and normal agree.

    Attributes:
        positions: In the units of the file.
        normals: Zero where the file gives none.
        uvs: Zero where the file gives none.
        faces: Vertex indices.
        face_materials: Index into `material_names`.
        material_names: In order of first use.
        libraries: Names after `mtllib`.
    """

    positions: Float32[np.ndarray, "vertices 3"]
    normals: Float32[np.ndarray, "vertices 3"]
    uvs: Float32[np.ndarray, "vertices 2"]
    faces: Int32[np.ndarray, "faces 3"]
    face_materials: Int32[np.ndarray, " faces"]
    material_names: list[str]
    libraries: list[str]


@dataclass
class _Reader:
    positions: list[list[float]] = field(default_factory=list)
    uvs: list[list[float]] = field(default_factory=list)
    normals: list[list[float]] = field(default_factory=list)
    corners: dict[Corner, int] = field(default_factory=dict)
    faces: list[tuple[int, int, int]] = field(default_factory=list)
    face_materials: list[int] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)
    current: int = 0

    def corner(self, text: str) -> int:
        parts = [*text.split("/"), "", ""][:3]
        counts = (len(self.positions), len(self.uvs), len(self.normals))
        key = tuple(_index(part, count) for part, count in zip(parts, counts, strict=True))
        return self.corners.setdefault((key[0], key[1], key[2]), len(self.corners))

    def line(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        if word == "v":
            self.positions.append([float(x) for x in rest.split()[:3]])
        elif word == "vt":
            self.uvs.append([float(x) for x in rest.split()[:2]])
        elif word == "vn":
            self.normals.append([float(x) for x in rest.split()[:3]])
        elif word == "f":
            ring = [self.corner(part) for part in rest.split()]
            for second, third in itertools.pairwise(ring[1:]):
                self.faces.append((ring[0], second, third))
                self.face_materials.append(self.current)
        elif word == "usemtl":
            self.current = self.names.setdefault(rest.strip(), len(self.names))
        elif word == "mtllib":
            self.libraries.append(rest.strip())


def _index(text: str, count: int) -> int:
    if not text:
        return -1
    value = int(text)
    return value - 1 if value > 0 else count + value


def parse_obj(text: str) -> ObjModel:
    """Read the geometry of an OBJ file; polygons become fans of triangles."""
    reader = _Reader()
    for line in text.splitlines():
        reader.line(line)
    corners = np.array(list(reader.corners), np.int32).reshape(-1, 3)
    tables = (reader.positions, reader.uvs, reader.normals)
    columns = [
        _take(np.array(table, np.float32).reshape(-1, width), corners[:, i])
        for i, (table, width) in enumerate(zip(tables, (3, 2, 3), strict=True))
    ]
    names = list(reader.names) or [""]
    return ObjModel(
        positions=columns[0],
        normals=columns[2],
        uvs=columns[1],
        faces=np.array(reader.faces, np.int32).reshape(-1, 3),
        face_materials=np.array(reader.face_materials, np.int32),
        material_names=names,
        libraries=reader.libraries,
    )


def _take(table: np.ndarray, index: np.ndarray) -> np.ndarray:
    padded = np.concatenate([table, np.zeros((1, table.shape[1]), np.float32)])
    return padded[np.where((index >= 0) & (index < len(table)), index, len(table))]


def parse_mtl(text: str) -> dict[str, ObjMaterial]:
    """Read the materials of an MTL file by name."""
    found: dict[str, dict] = {}
    entry: dict = {}
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if word == "newmtl":
            entry = found.setdefault(rest, {})
        elif word == "Kd":
            entry["color"] = tuple(float(x) for x in rest.split()[:3])
        elif word == "Ks":
            entry["specular"] = float(np.mean([float(x) for x in rest.split()[:3]]))
        elif word == "d":
            entry["opacity"] = float(rest.split()[-1])
        elif word == "Tr" and "opacity" not in entry:
            entry["opacity"] = 1 - float(rest.split()[0])
        elif word == "map_Kd":
            name = re.sub(r"^(?:-\w+(?: +-?[\d.]+| +on| +off)* +)*", "", rest)
            entry["texture"] = PurePosixPath(name.replace("\\", "/")).name
    return {name: ObjMaterial(**values) for name, values in found.items()}
