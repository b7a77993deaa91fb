"""From a seed to a world: rooms or a house front, furnished and lit."""

from dataclasses import dataclass

import numpy as np

from recon.data.rooms.decor import decorate
from recon.data.rooms.facade import build_facade_scene
from recon.data.rooms.furnish import Furnisher, scatter_on_floor
from recon.data.rooms.furniture import FurnitureLibrary
from recon.data.rooms.garden import lay_ground, plant_surroundings
from recon.data.rooms.library import TextureLibrary
from recon.data.rooms.paint import RichPaint
from recon.data.rooms.patio import build_patio_scene
from recon.data.rooms.plan import Plan, Rect, make_plan
from recon.data.rooms.shell import build_shell
from recon.data.rooms.street import build_street_scene
from recon.data.rooms.supply import Supply
from recon.data.rooms.world import Color, Lighting, Sun, World, WorldBuilder

OUTDOOR_SHARE = 0.23
# Builders of outdoor scenes, their shares, and where one looks there: azimuths.
OUTDOOR_KINDS = (
    (build_facade_scene, 0.32, (np.pi / 2,)),
    (build_street_scene, 0.36, (0.4, -0.4, np.pi - 0.4, np.pi + 0.4)),
    (build_patio_scene, 0.32, (np.pi / 2, np.pi / 2, -np.pi / 2, 0.3, np.pi - 0.3)),
)
BLOWN_OUT_SHARE = 0.5


Way = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Site:
    """A world and where a photographer can stand in it.

    Attributes:
        world: The world.
        floors: Rectangles on which one can stand.
        outdoors: Whether they are under the open sky.
        headings: Azimuths in which there is something to see outdoors.
        ways: Doorways, each from both sides: middle, and direction from there into the room.
    """

    world: World
    floors: list[Rect]
    outdoors: bool
    headings: tuple[float, ...] = ()
    ways: tuple[Way, ...] = ()


def _scaled(color: np.ndarray, factor: float) -> Color:
    r, g, b = (float(c) * factor for c in color)
    return r, g, b


def _daylight(rng: np.random.Generator) -> np.ndarray:
    """Colour of the sky's light, bluish to warm."""
    warmth = rng.normal(0, 0.08)
    return np.array([np.exp(warmth), 1.0, np.exp(-warmth)])


def _sun(rng: np.random.Generator, level: float, toward: float | None = None) -> Sun:
    azimuth = rng.uniform(0, 2 * np.pi) if toward is None else toward + rng.uniform(-1.1, 1.1)
    height = np.radians(rng.uniform(18, 60))
    direction = (np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height))
    x, y, z = (float(c) for c in direction)
    return Sun((x, y, z), _scaled(np.array([1.0, 0.93, 0.8]), level))


def _backdrop(lighting: Lighting, builder: WorldBuilder, paint: RichPaint, gain: float) -> None:
    index = paint.library.pick(paint.rng, "panorama")
    lighting.panorama = builder.texture("library", index, paint.library[index])
    lighting.panorama_gain = gain
    lighting.panorama_turn = float(paint.rng.random())


def build_site(
    rng: np.random.Generator, library: TextureLibrary, furniture: FurnitureLibrary | None, outdoors: bool | None = None
) -> Site:
    """A random world; `outdoors` None draws it."""
    if outdoors is None:
        outdoors = bool(rng.random() < OUTDOOR_SHARE)
    builder = WorldBuilder()
    paint = RichPaint(builder, library, rng)
    supply = Supply(paint, furniture)
    if outdoors:
        floor, headings = _build_outdoors(builder, paint, supply)
        return Site(builder.build(), [floor], True, headings)
    plan = _build_indoors(builder, paint, supply)
    return Site(builder.build(), [room.rect for room in plan.rooms], False, (), doorways(plan))


def doorways(plan: Plan) -> tuple[Way, ...]:
    """Open doors and arches from both sides."""
    return tuple(
        (wall.start + 0.5 * (hole.start + hole.end) * wall.along, wall.inward)
        for room in plan.rooms
        for wall in room.walls
        for hole in wall.openings
        if hole.kind in ("door", "arch")
    )


def _build_outdoors(builder: WorldBuilder, paint: RichPaint, supply: Supply) -> tuple[Rect, tuple[float, ...]]:
    rng = paint.rng
    lighting, daylight = builder.lighting, _daylight(rng)
    lighting.sky = _scaled(daylight, 1.0)
    if rng.random() < 0.6:
        lighting.sun = _sun(rng, float(rng.uniform(0.6, 2.2)), toward=-np.pi / 2)
    _backdrop(lighting, builder, paint, float(rng.uniform(0.9, 1.6)))
    build, _, headings = OUTDOOR_KINDS[int(rng.choice(len(OUTDOOR_KINDS), p=[share for _, share, _ in OUTDOOR_KINDS]))]
    return build(builder, paint, supply), headings


def _build_indoors(builder: WorldBuilder, paint: RichPaint, supply: Supply) -> Plan:
    rng = paint.rng
    lighting, daylight = builder.lighting, _daylight(rng)
    plan = make_plan(rng)
    night = rng.random() < 0.05
    portal = 0.04 if night else float(np.exp(rng.uniform(np.log(0.5), np.log(2.5))))
    low, high = (1.2, 5.0) if rng.random() < BLOWN_OUT_SHARE else (0.3, 1.5)
    compression = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    sky = portal * compression
    lighting.sky = _scaled(daylight, sky)
    lighting.ambient = _scaled(daylight, 0.012 + 0.01 * portal)
    if not night and rng.random() < 0.4:
        lighting.sun = _sun(rng, min(sky, 1.5 * portal) * float(rng.uniform(1.5, 4.0)))
    surfaces = build_shell(builder, paint, plan, _scaled(daylight, portal))
    lamps = float(rng.choice([0.0, rng.uniform(0.1, 0.4), rng.uniform(0.3, 1.0)], p=[0.45, 0.25, 0.3]))
    lamps = 0.8 if night else lamps
    for room, own in zip(plan.rooms, surfaces, strict=True):
        furnisher = Furnisher(builder, paint, supply, room)
        furnisher.furnish()
        if room.kind not in ("empty", "bath"):
            scatter_on_floor(builder, paint, furnisher.floor)
        decorate(builder, paint, room, own, lamps)
    _backdrop(lighting, builder, paint, 1.2 * sky)
    _outside(builder, paint, plan)
    return plan


def _outside(builder: WorldBuilder, paint: RichPaint, plan: Plan) -> None:
    """What the windows look out on: a garden, or nothing but the distant view from upper floors."""
    rng = paint.rng
    centre = (max(r.rect[2] for r in plan.rooms) / 2, max(r.rect[3] for r in plan.rooms) / 2)
    upstairs = rng.random() < 0.3
    level = -float(rng.uniform(2.8, 9)) if upstairs else -float(rng.uniform(0.05, 0.5))
    kind = "grass" if rng.random() < 0.6 else "paving"
    lay_ground(builder, paint.textured(kind), centre, 40.0, level, 3.0)
    reach = max(centre) + 2.5
    plant_surroundings(builder, paint, centre, reach, reach + 12, level, int(rng.integers(2, 8)))
