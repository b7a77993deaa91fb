"""From a seed to a world: rooms or a house front, furnished and lit."""

from dataclasses import dataclass

import numpy as np

from recon.data.rooms.decor import decorate
from recon.data.rooms.facade import build_facade_scene
from recon.data.rooms.furnish import Furnisher, scatter_on_floor
from recon.data.rooms.furniture import FurnitureLibrary
from recon.data.rooms.garden import lay_ground, plant_surroundings
from recon.data.rooms.library import TextureLibrary
from recon.data.rooms.paint import Paint
from recon.data.rooms.plan import Plan, Rect, make_plan
from recon.data.rooms.shell import build_shell
from recon.data.rooms.supply import Supply
from recon.data.rooms.world import Color, Lighting, Sun, World, WorldBuilder

OUTDOOR_SHARE = 0.14


@dataclass(frozen=True)
class Site:
    """A world and the floors on which a photographer can stand."""

    world: World
    floors: list[Rect]
    outdoors: bool


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


def _backdrop(lighting: Lighting, builder: WorldBuilder, paint: Paint, gain: float) -> None:
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
    paint = Paint(builder, library, rng)
    supply = Supply(paint, furniture)
    floors = [_build_outdoors(builder, paint, supply)] if outdoors else _build_indoors(builder, paint, supply)
    return Site(builder.build(), floors, outdoors)


def _build_outdoors(builder: WorldBuilder, paint: Paint, supply: Supply) -> Rect:
    rng = paint.rng
    lighting, daylight = builder.lighting, _daylight(rng)
    lighting.sky = _scaled(daylight, 1.0)
    if rng.random() < 0.6:
        lighting.sun = _sun(rng, float(rng.uniform(0.6, 2.2)), toward=-np.pi / 2)
    _backdrop(lighting, builder, paint, float(rng.uniform(0.9, 1.6)))
    return build_facade_scene(builder, paint, supply)


def _build_indoors(builder: WorldBuilder, paint: Paint, supply: Supply) -> list[Rect]:
    rng = paint.rng
    lighting, daylight = builder.lighting, _daylight(rng)
    plan = make_plan(rng)
    night = rng.random() < 0.05
    portal = 0.04 if night else float(np.exp(rng.uniform(np.log(0.5), np.log(2.5))))
    compression = float(np.exp(rng.uniform(np.log(0.3), np.log(1.5))))
    sky = portal * compression
    lighting.sky = _scaled(daylight, sky)
    lighting.ambient = _scaled(daylight, 0.012 + 0.01 * portal)
    if not night and rng.random() < 0.4:
        lighting.sun = _sun(rng, sky * float(rng.uniform(1.5, 4.0)))
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
    return [room.rect for room in plan.rooms]


def _outside(builder: WorldBuilder, paint: Paint, plan: Plan) -> None:
    """What the windows look out on: a garden, or nothing but the distant view from upper floors."""
    rng = paint.rng
    centre = (max(r.rect[2] for r in plan.rooms) / 2, max(r.rect[3] for r in plan.rooms) / 2)
    upstairs = rng.random() < 0.3
    level = -float(rng.uniform(2.8, 9)) if upstairs else -float(rng.uniform(0.05, 0.5))
    kind = "grass" if rng.random() < 0.6 else "paving"
    lay_ground(builder, paint.textured(kind), centre, 40.0, level, 3.0)
    reach = max(centre) + 2.5
    plant_surroundings(builder, paint, centre, reach, reach + 12, level, int(rng.integers(2, 8)))
