"""Furnishing rooms according to their use."""

import numpy as np

from recon.data.rooms import carpentry
from recon.data.rooms.item import Item
from recon.data.rooms.kitchen import fit_kitchen
from recon.data.rooms.knickknacks import crowd, cushion, knickknack
from recon.data.rooms.mesh import rectangle
from recon.data.rooms.paint import RichPaint
from recon.data.rooms.placement import Floor, Place
from recon.data.rooms.plan import Room
from recon.data.rooms.supply import Supply
from recon.data.rooms.world import Lamp, WorldBuilder

# What else stands in a room when its program left much of the floor free.
EXTRAS = {
    "living": ("cabinet", "bookcase", "armchair", "plant", "plant", "piano", "chair", "bedside", "stand"),
    "kitchen": ("cabinet", "bookcase", "chair", "plant", "stool"),
    "bedroom": ("cabinet", "bookcase", "chair", "plant", "armchair", "bedside"),
    "dining": ("cabinet", "bookcase", "plant", "chair", "piano"),
    "office": ("cabinet", "bookcase", "plant", "chair", "armchair"),
    "bath": ("cabinet", "plant", "washer"),
    "hall": ("cabinet", "plant", "chair", "bedside", "stand"),
}


class Furnisher:
    """Fills one room.

    Args:
        builder: The world under construction.
        paint: Materials.
        supply: Furniture.
        room: The room.
    """

    def __init__(self, builder: WorldBuilder, paint: RichPaint, supply: Supply, room: Room):
        self.builder, self.paint, self.supply, self.room = builder, paint, supply, room
        self.rng = paint.rng
        self.floor = Floor(room)

    def furnish(self) -> None:
        """Run the program of the room's use, then scatter plants and odds and ends."""
        programs = {
            "living": self._living,
            "kitchen": self._kitchen,
            "bedroom": self._bedroom,
            "dining": self._dining,
            "office": self._office,
            "bath": self._bath,
            "hall": self._hall,
        }
        if self.room.kind in programs:
            programs[self.room.kind]()
            for _ in range(int(self.rng.integers(0, 3))):
                self._on_wall("plant")
            if self.rng.random() < 0.35:
                self._lamp_on_floor()
            self._fill_up(float(self.rng.uniform(0.4, 0.75)))

    def _fill_up(self, target: float) -> None:
        """Add things along the walls until `target` of the floor is taken, or nothing fits any more."""
        pool = EXTRAS[self.room.kind]
        for _ in range(14):
            covered = sum((c - a) * (d - b) for a, b, c, d in self.floor.taken) / self.room.area
            if covered > target:
                break
            self._on_wall(pool[int(self.rng.integers(len(pool)))])

    def _on_wall(self, use: str, apron: float = 0.0, load: bool = True) -> tuple[Item, Place] | None:
        thing = self.supply.get(use, max(w.length for w in self.room.walls) - 0.1)
        return None if thing is None else self._stand(thing, apron, load)

    def _stand(self, thing: Item, apron: float = 0.0, load: bool = True) -> tuple[Item, Place] | None:
        place = self.floor.along_wall(thing, self.rng, apron=apron)
        if place is None or thing.height > self.room.height - 0.05:
            return None
        thing.place(self.builder, place.position(), place.angle)
        if load and thing.top:
            self._load(thing, place)
        return thing, place

    def _load(self, thing: Item, place: Place, most: int = 4) -> None:
        """Put small things on a top, few or a crowd."""
        if self.rng.random() < 0.6:
            count = 2 + int(self.rng.poisson(9 * min(thing.width * thing.depth, 0.9)))
            c, s = np.cos(place.angle), np.sin(place.angle)
            for small, x, y in crowd(self.paint, thing.width - 0.04, thing.depth - 0.04, count):
                spot = (place.x + c * x - s * y, place.y + s * x + c * y, thing.top + 0.002)
                small.place(self.builder, spot, place.angle + float(self.rng.normal(0, 0.5)))
            return
        spots = int(self.rng.integers(0, most + 1))
        for i in range(spots):
            if self.rng.random() < 0.2 and thing.height < 1.0:
                self._table_lamp(place, thing.top, self._spot(thing, place, i, spots))
                continue
            small = self.supply.get("small")
            if small is not None and max(small.width, small.depth) < min(thing.depth, thing.width):
                x, y = self._spot(thing, place, i, spots)
                turn = place.angle + float(self.rng.normal(0, 0.4))
                small.place(self.builder, (x, y, thing.top + 0.002), turn)

    def _spot(self, thing: Item, place: Place, index: int, count: int) -> tuple[float, float]:
        along = ((index + 0.5 + self.rng.uniform(-0.25, 0.25)) / count - 0.5) * max(thing.width - 0.3, 0.05)
        away = self.rng.uniform(-0.3, 0.3) * max(thing.depth - 0.3, 0.02)
        c, s = np.cos(place.angle), np.sin(place.angle)
        return float(place.x + c * along - s * away), float(place.y + s * along + c * away)

    def _table_lamp(self, place: Place, height: float, spot: tuple[float, float]) -> None:
        lamp, bulb = carpentry.standing_lamp(self.paint, float(self.rng.uniform(0.35, 0.6)))
        lamp.place(self.builder, (*spot, height), place.angle)
        self._light((*spot, height + bulb), 0.6)

    def _lamp_on_floor(self) -> None:
        lamp, bulb = carpentry.standing_lamp(self.paint, float(self.rng.uniform(1.3, 1.7)))
        place = self.floor.along_wall(lamp, self.rng)
        if place is not None:
            lamp.place(self.builder, place.position(), place.angle)
            self._light(place.position(bulb), 1.0)

    def _light(self, position: tuple[float, float, float], strength: float) -> None:
        glow = strength * float(self.rng.uniform(0.2, 1.2))
        self.builder.lighting.lamps.append(Lamp(position, 0.08, (glow, 0.8 * glow, 0.55 * glow)))

    def _rug(self, x: float, y: float, width: float, depth: float, angle: float) -> None:
        c, s = np.cos(angle), np.sin(angle)
        u, v = np.array([c, s, 0]) * width, np.array([-s, c, 0]) * depth
        x0, y0, x1, y1 = self.room.rect
        reach = np.abs(u[:2]) / 2 + np.abs(v[:2]) / 2
        x = float(np.clip(x, x0 + reach[0] + 0.05, max(x1 - reach[0] - 0.05, x0 + reach[0] + 0.05)))
        y = float(np.clip(y, y0 + reach[1] + 0.05, max(y1 - reach[1] - 0.05, y0 + reach[1] + 0.05)))
        if x + reach[0] < x1 and y + reach[1] < y1:
            origin = np.array([x, y, 0.008]) - u / 2 - v / 2
            self.builder.add(rectangle(origin, u, v, 0.13), self.paint.picture(width, depth, "rug"))

    def _living(self) -> None:
        placed = self._on_wall("sofa", apron=0.9)
        if placed is not None:
            sofa, place = placed
            table = self.supply.get("coffee_table")
            if self.rng.random() < 0.7:
                front = np.array([np.sin(place.angle), -np.cos(place.angle)]) * (sofa.depth / 2 + 0.7)
                width = float(self.rng.uniform(1.6, 2.8))
                self._rug(place.x + front[0], place.y + front[1], width, 0.65 * width, place.angle)
            if table is not None:
                spot = self.floor.before(place, sofa, float(self.rng.uniform(0.3, 0.5)), table.width, table.depth)
                if spot is not None:
                    table.place(self.builder, spot.position(), spot.angle)
                    self._load(table, spot)
        self._television()
        for use, chance in (("armchair", 0.6), ("armchair", 0.4), ("bookcase", 0.6), ("cabinet", 0.6), ("piano", 0.35)):
            if self.rng.random() < chance:
                self._on_wall(use)
        if self.room.area > 15 and self.rng.random() < 0.6:
            self._dining_group()
        if self.room.area > 20:
            self._on_wall("sofa")

    def _television(self) -> None:
        stand = self._on_wall("tv_stand", load=False)
        if stand is None:
            return
        thing, place = stand
        height = thing.top or thing.height
        if height < 0.9:
            width = float(self.rng.uniform(0.8, 1.3))
            screen = self.supply.get("tv", width + 0.3)
            if screen is None:
                screen = carpentry.flat_screen(self.paint, width)
            screen.place(self.builder, place.position(height), place.angle)

    def _dining_group(self) -> None:
        table = self.supply.get("table")
        if table is None:
            return
        reach = 0.55
        place = self.floor.anywhere(table.width + 2 * reach, table.depth + 2 * reach, self.rng, middle=True)
        if place is None:
            return
        if self.rng.random() < 0.35:
            self._rug(place.x, place.y, table.width + 1.0, table.depth + 1.0, place.angle)
        table.place(self.builder, place.position(), place.angle)
        self._load(table, place, 3)
        per_side = max(1, int(table.width / 0.62))
        chairs = self.supply.set_of("chair", 2 * per_side + 2)
        for i, seat in enumerate(chairs):
            self._seat(seat, i, per_side, table, place)
        if self.rng.random() < 0.6:
            self._pendant(place)

    def _seat(self, seat: Item, index: int, per_side: int, table: Item, place: Place) -> None:
        if self.rng.random() < 0.12:
            return
        tuck = float(self.rng.uniform(0.02, 0.25))
        if index < 2 * per_side:
            side = -1 if index < per_side else 1
            along = ((index % per_side + 0.5) / per_side - 0.5) * table.width * 0.9
            local, turn = np.array([along, side * (table.depth / 2 + tuck)]), 0.0 if side > 0 else np.pi
        else:
            side = -1 if index % 2 else 1
            local, turn = np.array([side * (table.width / 2 + tuck), 0.0]), -np.pi / 2 * side
        c, s = np.cos(place.angle), np.sin(place.angle)
        x, y = place.x + c * local[0] - s * local[1], place.y + s * local[0] + c * local[1]
        turn = place.angle + turn + float(self.rng.normal(0, 0.12))
        seat.place(self.builder, (float(x), float(y), 0.0), turn)

    def _pendant(self, place: Place) -> None:
        drop = float(self.rng.uniform(0.5, 1.0))
        lamp = carpentry.pendant(self.paint, drop)
        lamp.place(self.builder, place.position(self.room.height - drop), 0.0)
        self._light(place.position(self.room.height - drop - 0.05), 1.2)

    def _kitchen(self) -> None:
        fit_kitchen(self.builder, self.paint, self.room, self.floor, self.supply)
        for use, chance in (("fridge", 0.7), ("stove", 0.3), ("cabinet", 0.4), ("washer", 0.2)):
            if self.rng.random() < chance:
                self._on_wall(use, apron=0.4)
        if self.rng.random() < 0.75:
            self._dining_group()

    def _bedroom(self) -> None:
        bed = self.supply.get("bed")
        place = None if bed is None else self.floor.along_wall(bed, self.rng, apron=0.4)
        if bed is not None and place is not None:
            bed.place(self.builder, place.position(), place.angle)
            if self.rng.random() < 0.4:
                self._rug(place.x, place.y, bed.width + 1.2, bed.depth * 0.8, place.angle)
            self._cushions(bed, place)
            self._beside(bed, place)
        for use, chance in (("wardrobe", 0.8), ("cabinet", 0.7), ("desk", 0.3), ("armchair", 0.4), ("bookcase", 0.3)):
            if self.rng.random() < chance:
                self._on_wall(use)
        if self.rng.random() < 0.4:
            self._television()

    def _cushions(self, thing: Item, place: Place) -> None:
        """Some cushions and toys on a bed."""
        c, s = np.cos(place.angle), np.sin(place.angle)
        for _ in range(int(self.rng.integers(0, 4))):
            x, y = self.rng.uniform(-0.35, 0.35, 2) * (thing.width, thing.depth)
            spot = (float(place.x + c * x - s * y), float(place.y + s * x + c * y), 0.54)
            cushion(self.paint).place(self.builder, spot, float(self.rng.uniform(0, 6)))

    def _beside(self, bed: Item, place: Place) -> None:
        table = self.supply.get("bedside")
        if table is None or place.wall is None:
            return
        for side in (-1, 1):
            along = (
                np.array([np.cos(place.angle), np.sin(place.angle)]) * side * (bed.width / 2 + table.width / 2 + 0.06)
            )
            back = np.array([-np.sin(place.angle), np.cos(place.angle)]) * (bed.depth - table.depth) / 2
            x, y = np.array([place.x, place.y]) + along + back
            half = np.array([table.width, table.depth]) / 2
            if abs(np.sin(place.angle)) > 0.5:
                half = half[::-1]
            rect = (float(x - half[0]), float(y - half[1]), float(x + half[0]), float(y + half[1]))
            if self.floor.free(rect, 0.0):
                self.floor.taken.append(rect)
                spot = Place(float(x), float(y), place.angle)
                table.place(self.builder, spot.position(), spot.angle)
                self._load(table, spot, 2)

    def _dining(self) -> None:
        self._dining_group()
        for use, chance in (("cabinet", 0.9), ("bookcase", 0.4), ("piano", 0.3), ("armchair", 0.3)):
            if self.rng.random() < chance:
                self._on_wall(use)

    def _office(self) -> None:
        placed = self._on_wall("desk", apron=0.6)
        if placed is not None:
            thing, place = placed
            seat = self.supply.get("chair")
            if seat is not None:
                front = np.array([np.sin(place.angle), -np.cos(place.angle)]) * (thing.depth / 2 + 0.25)
                spot = (float(place.x + front[0]), float(place.y + front[1]), 0.0)
                seat.place(self.builder, spot, place.angle + np.pi + float(self.rng.normal(0, 0.4)))
        for use, chance in (("bookcase", 0.9), ("cabinet", 0.5), ("armchair", 0.5), ("bookcase", 0.4), ("sofa", 0.3)):
            if self.rng.random() < chance:
                self._on_wall(use)

    def _bath(self) -> None:
        for use, chance in (("bath", 0.9), ("basin", 1.0), ("toilet", 0.9), ("washer", 0.3), ("cabinet", 0.4)):
            if self.rng.random() < chance:
                self._on_wall(use, load=use == "cabinet")

    def _hall(self) -> None:
        for use, chance in (("cabinet", 0.7), ("bookcase", 0.3), ("chair", 0.3)):
            if self.rng.random() < chance:
                self._on_wall(use)
        if self.rng.random() < 0.5:
            x0, y0, x1, y1 = self.room.rect
            long = 0.7 * float(self.room.size.max())
            angle = 0.0 if self.room.size[0] > self.room.size[1] else np.pi / 2
            self._rug((x0 + x1) / 2, (y0 + y1) / 2, long, min(0.8, 0.6 * float(self.room.size.min())), angle)


def scatter_on_floor(builder: WorldBuilder, paint: RichPaint, floor: Floor) -> None:
    """Boxes, toys and plants on what is left of the floor."""
    for _ in range(int(paint.rng.integers(0, 7))):
        thing = knickknack(paint)
        place = floor.anywhere(thing.width, thing.depth, paint.rng)
        if place is not None:
            thing.place(builder, place.position(), float(paint.rng.uniform(0, 6.28)))
