"""Furniture models of the Sweet Home 3D catalogues (Debian package sweethome3d-furniture), converted to a cache.

A catalogue (.sh3f) is a zip with a properties file (name, category, size in cm) and OBJ+MTL models with textures. The
models are CC0 or CC BY; `convert_catalogues` writes every author that must be named to CREDITS.md beside the cache.
"""

import json
import logging
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from jaxtyping import Float32, Int32, UInt8

from recon.data.rooms.catalogue import CatalogueEntry, read_properties, uses_of
from recon.data.rooms.library import build_pyramid, resize_square
from recon.data.rooms.mesh import MeshPart
from recon.data.rooms.model_prep import OBJ_TO_WORLD, fit_to_size, repair_normals, subdivide
from recon.data.rooms.obj_file import ObjMaterial, ObjModel, parse_mtl, parse_obj
from recon.io.atomic import atomic_write

logger = logging.getLogger(__name__)

MAX_TRIANGLES = 20_000
MAX_TEXTURE_SIZE = 512
SKIPPED_CATEGORIES = {"Characters", "Vehicles", "Doors and windows", "Staircases"}


@dataclass(frozen=True)
class ModelMaterial:
    """Material of a converted model: sRGB colour, specular 0..1, texture slot or -1."""

    color: tuple[float, float, float]
    specular: float
    texture: int


@dataclass(frozen=True)
class FurnitureModel:
    """A model that stands on the origin, front towards -y, size as in the catalogue.

    Attributes:
        entry: Name, size and licence.
        part: The mesh; uvs in texture repeats.
        face_materials: Index into `materials`.
        materials: Colours and texture slots.
        pyramids: Texture pyramids.
        texture_sizes: Edge of the largest level of each.
    """

    entry: CatalogueEntry
    part: MeshPart
    face_materials: Int32[np.ndarray, " faces"]
    materials: list[ModelMaterial]
    pyramids: list[UInt8[np.ndarray, "texels 3"]]
    texture_sizes: list[int]


class _Archive:
    """A .sh3f file, or a zip inside it."""

    def __init__(self, archive: zipfile.ZipFile):
        self.archive = archive
        self.by_lower = {name.lower(): name for name in archive.namelist()}

    def read(self, path: str) -> bytes | None:
        name = self.by_lower.get(path.lower())
        return None if name is None else self.archive.read(name)


def _load_textures(archive: _Archive, folder: str, materials: list[ObjMaterial]) -> dict[str, np.ndarray] | None:
    """Textures by name as RGB; None when one has holes, which the renderer cannot show."""
    images = {}
    for name in {m.texture for m in materials if m.texture}:
        data = archive.read(f"{folder}/{name}")
        image = None if data is None else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None:
            continue
        if image.dtype != np.uint8:
            image = (image / 257).astype(np.uint8)
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        if image.shape[2] == 4 and float((image[..., 3] < 128).mean()) > 0.02:
            return None
        size = 1 << int(np.clip(np.ceil(np.log2(max(image.shape[:2]))), 3, np.log2(MAX_TEXTURE_SIZE)))
        images[name] = resize_square(np.ascontiguousarray(image[..., 2::-1]), size)
    return images


def _convert(archive: _Archive, path: str, turn: np.ndarray, entry: CatalogueEntry) -> dict[str, np.ndarray] | None:
    data = archive.read(path)
    if data is None:
        return None
    model = parse_obj(data.decode("latin1"))
    if not 0 < len(model.faces) <= MAX_TRIANGLES:
        return None
    folder = str(PurePosixPath(path).parent)
    known: dict[str, ObjMaterial] = {}
    for library in model.libraries:
        text = archive.read(f"{folder}/{library}")
        known |= parse_mtl(text.decode("latin1")) if text else {}
    materials = [known.get(name, ObjMaterial()) for name in model.material_names]
    images = _load_textures(archive, folder, materials)
    visible = np.array([m.opacity > 0.35 for m in materials])[model.face_materials]
    if images is None or visible.mean() < 0.5:
        return None
    return _pack(model, visible, materials, images, turn, entry)


def _pack(
    model: ObjModel,
    visible: np.ndarray,
    materials: list[ObjMaterial],
    images: dict[str, np.ndarray],
    turn: np.ndarray,
    entry: CatalogueEntry,
) -> dict[str, np.ndarray]:
    rotation = OBJ_TO_WORLD @ turn
    positions = fit_to_size(model.positions @ rotation.T, (entry.width, entry.depth, entry.height))
    faces, face_materials = model.faces[visible], model.face_materials[visible]
    normals = repair_normals(positions, (model.normals @ rotation.T).astype(np.float32), faces)
    mesh = subdivide(positions, *normals, model.uvs, face_materials, longest=0.3)
    names = sorted(images)
    table = [[*m.color, m.specular, names.index(m.texture) if m.texture in images else -1] for m in materials]
    arrays = {f"image_{i}": images[name] for i, name in enumerate(names)}
    return arrays | mesh | {"materials": np.array(table, np.float32)}


def convert_catalogues(catalogues: list[Path], folder: Path) -> list[CatalogueEntry]:
    """Convert all indoor and garden models of .sh3f files into `folder`; returns what was taken."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for catalogue in sorted(catalogues):
        with zipfile.ZipFile(catalogue) as opened:
            archive = _Archive(opened)
            text = opened.read("PluginFurnitureCatalog.properties").decode("latin1")
            for entry, path, turn in read_properties(text, catalogue.stem):
                if entry.category in SKIPPED_CATEGORIES:
                    continue
                arrays = _convert(archive, path, turn, entry)
                if arrays is not None:
                    np.savez(folder / f"{entry.key}.npz", allow_pickle=False, **arrays)
                    entries.append(entry)
        logger.info("%s: %d models in all", catalogue.name, len(entries))
    _write_credits(folder, entries)
    with atomic_write(folder / "catalogue.json") as path:
        path.write_text(json.dumps([asdict(e) for e in entries], indent=1))
    return entries


def _write_credits(folder: Path, entries: list[CatalogueEntry]) -> None:
    lines = [
        "# Furniture models",
        "",
        "From the Debian package sweethome3d-furniture (https://www.sweethome3d.com).",
        "",
    ]
    lines += [f"- {e.key}: {e.name}, {e.creator or 'see the catalogue'}, {e.licence}" for e in entries]
    with atomic_write(folder / "CREDITS.md") as path:
        path.write_text("\n".join(lines) + "\n")


class FurnitureLibrary:
    """Converted models by key, each read from disk once.

    Args:
        folder: Where `convert_catalogues` wrote to.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        rows = json.loads((folder / "catalogue.json").read_text())
        self.entries = [CatalogueEntry(**row) for row in rows]
        self.by_use: dict[str, list[CatalogueEntry]] = {}
        for entry in self.entries:
            for use in uses_of(entry):
                self.by_use.setdefault(use, []).append(entry)
        self._models: dict[str, FurnitureModel] = {}

    def load(self, entry: CatalogueEntry) -> FurnitureModel:
        """The model of an entry."""
        if entry.key not in self._models:
            with np.load(self.folder / f"{entry.key}.npz", allow_pickle=False) as arrays:
                self._models[entry.key] = _unpack(entry, dict(arrays))
        return self._models[entry.key]


def _unpack(entry: CatalogueEntry, arrays: dict[str, np.ndarray]) -> FurnitureModel:
    positions: Float32[np.ndarray, "vertices 3"] = arrays["positions"]
    part = MeshPart(positions, arrays["normals"], arrays["uvs"], arrays["faces"], positions)
    images = [arrays[f"image_{i}"] for i in range(sum(key.startswith("image_") for key in arrays))]
    materials = [
        ModelMaterial((float(r), float(g), float(b)), float(s), int(t)) for r, g, b, s, t in arrays["materials"]
    ]
    return FurnitureModel(
        entry=entry,
        part=part,
        face_materials=arrays["face_materials"],
        materials=materials,
        pyramids=[build_pyramid(image) for image in images],
        texture_sizes=[len(image) for image in images],
    )
