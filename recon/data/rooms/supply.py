"""Where furniture comes from: catalogue models by what they are used for, or carpentry when there is none."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Int32

from recon.data.rooms import carpentry, clutter, thin
from recon.data.rooms.catalogue import CatalogueEntry
from recon.data.rooms.furniture import FurnitureLibrary, FurnitureModel
from recon.data.rooms.item import Item
from recon.data.rooms.knickknacks import knickknack
from recon.data.rooms.library import Texture
from recon.data.rooms.mesh import MeshPart
from recon.data.rooms.noise import hsv
from recon.data.rooms.paint import RichPaint, linear
from recon.data.rooms.world import Material

SOFT_USES = {"sofa", "armchair", "bed"}
WOODEN_USES = {"table", "coffee_table", "desk", "wardrobe", "bookcase", "cabinet", "tv_stand", "bedside"}


def box_uvs(part: MeshPart, chosen: np.ndarray, materials: Int32[np.ndarray, " faces"]) -> tuple[MeshPart, np.ndarray]:
    """Give `chosen` faces texture coordinates in metres, projected along the axis that they face most."""
    faces = part.faces[chosen]
    corners = part.positions[faces]
    normal = np.abs(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    axis = normal.argmax(1)
    columns = np.array([[1, 2], [0, 2], [0, 1]])[axis]
    flat: Float32[np.ndarray, "corners 2"] = np.take_along_axis(corners, columns[:, None, :].repeat(3, 1), 2).reshape(
        -1, 2
    )
    index = faces.reshape(-1)
    new = np.arange(len(index), dtype=np.int32).reshape(-1, 3) + np.int32(len(part.positions))
    joined = MeshPart(
        positions=np.concatenate([part.positions, part.positions[index]]),
        normals=np.concatenate([part.normals, part.normals[index]]),
        uvs=np.concatenate([part.uvs, flat]),
        faces=np.concatenate([part.faces[~chosen], new]),
        light_positions=np.concatenate([part.light_positions, part.light_positions[index]]),
    )
    return joined, np.concatenate([materials[~chosen], materials[chosen]])


class Supply:
    """Gives things for a use.

    Args:
        paint: Materials of the world under construction.
        furniture: Catalogue models, or None to make everything by carpentry.
        share: Probability of a catalogue model where one exists.
    """

    def __init__(self, paint: RichPaint, furniture: FurnitureLibrary | None, share: float = 0.7):
        self.paint = paint
        self.furniture = furniture
        self.share = share

    def get(self, use: str, max_width: float = 9.0) -> Item | None:
        """A thing for `use` at most `max_width` wide; None when there is none."""
        rng = self.paint.rng
        entries = [] if self.furniture is None else self.furniture.by_use.get(use, [])
        fitting = [e for e in entries if e.width <= max_width]
        if fitting and rng.random() < self.share:
            return self.from_catalogue(fitting[int(rng.integers(len(fitting)))], use)
        return self._made(use, max_width)

    def set_of(self, use: str, count: int) -> list[Item]:
        """`count` equal things, such as chairs around a table."""
        first = self.get(use)
        return [] if first is None else [first] * count

    def from_catalogue(self, entry: CatalogueEntry, use: str) -> Item:
        """A catalogue model with its own textures; plain surfaces may get fabric or wood."""
        if self.furniture is None:
            raise ValueError("no catalogue")
        model = self.furniture.load(entry)
        part, rows = model.part, model.face_materials
        table = np.array([self.paint.builder.material(m) for m in self._materials(model)], np.int32)
        if use in SOFT_USES | WOODEN_USES and self.paint.rng.random() < 0.6:
            plain = np.array([m.texture < 0 and max(m.color) > 0.12 for m in model.materials])
            if plain[rows].mean() > 0.3:
                part, rows = box_uvs(part, plain[rows], rows)
                cover = self.paint.textured("fabric") if use in SOFT_USES else self.paint.wood()
                table[plain] = self.paint.builder.material(cover)
        top = entry.height if use in WOODEN_USES and entry.height < 1.3 else 0.0
        return Item([(part, table[rows])], entry.width, entry.depth, entry.height, top)

    def _materials(self, model: FurnitureModel) -> list[Material]:
        rng, paint = self.paint.rng, self.paint
        recolor = hsv(float(rng.random()), rng.uniform(0, 0.5), 1.0) if rng.random() < 0.3 else np.ones(3)
        found = []
        for material in model.materials:
            mirror = 0.04 if material.specular > 0.5 else 0.0
            color = np.clip(np.array(material.color) * recolor, 0.02, 0.97)
            made = Material(linear(color), specular=0.06 * min(material.specular, 1), mirror=mirror)
            if material.texture >= 0:
                texture = Texture(model.pyramids[material.texture], model.texture_sizes[material.texture], 1.0)
                slot = paint.builder.texture(model.entry.key, material.texture, texture)
                made = replace(made, tint=linear(np.clip(recolor, 0.3, 1)), texture=slot)
            found.append(made)
        return found

    def _made(self, use: str, max_width: float) -> Item | None:
        rng, paint = self.paint.rng, self.paint

        def between(low: float, high: float) -> float:
            return float(min(rng.uniform(low, high), max_width))

        makers = {
            "sofa": lambda: carpentry.sofa(paint, between(1.6, 2.4)),
            "armchair": lambda: carpentry.sofa(paint, between(0.85, 1.0)),
            "chair": lambda: (carpentry.chair, thin.wire_chair, thin.spindle_chair, thin.spindle_chair)[
                int(rng.integers(4))
            ](paint),
            "stand": lambda: thin.clothes_stand(paint) if rng.random() < 0.5 else thin.arc_lamp(paint),
            "table": lambda: carpentry.table(paint, between(1.1, 2.0), between(0.75, 1.0), between(0.72, 0.78)),
            "coffee_table": lambda: carpentry.table(paint, between(0.7, 1.2), between(0.5, 0.8), between(0.36, 0.5)),
            "desk": lambda: carpentry.table(paint, between(1.1, 1.6), 0.7, 0.74),
            "bed": lambda: carpentry.bed(paint, between(0.9, 1.8)),
            "bedside": lambda: carpentry.cabinet(paint, between(0.4, 0.5), 0.4, between(0.45, 0.6)),
            "wardrobe": lambda: carpentry.cabinet(paint, between(0.9, 2.0), 0.6, between(1.9, 2.2)),
            "bookcase": lambda: carpentry.bookcase(paint, between(0.6, 1.8), between(1.2, 2.2)),
            "cabinet": lambda: carpentry.cabinet(paint, between(0.7, 1.8), between(0.38, 0.5), between(0.7, 1.1)),
            "tv_stand": lambda: carpentry.cabinet(paint, between(1.2, 1.9), 0.42, between(0.4, 0.6)),
            "plant": lambda: clutter.potted_plant(paint, between(0.4, 1.7)),
            "small": lambda: knickknack(paint),
        }
        return makers[use]() if use in makers else None
