"""The sample capture: photographs of one furnished room made of procedural content only, with its true cameras."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from jsonargparse import ArgumentParser

from recon.data.rooms import carpentry, clutter
from recon.data.rooms.bake import bake
from recon.data.rooms.decor import dress_window, framed_picture
from recon.data.rooms.garden import lay_ground, plant_surroundings
from recon.data.rooms.item import Item
from recon.data.rooms.library import TEXTURE_VERSION, TextureLibrary, open_library
from recon.data.rooms.mesh import rectangle
from recon.data.rooms.paint import Paint
from recon.data.rooms.plan import Opening, Room, room_walls
from recon.data.rooms.render import View, expose, seen_vertices, trace_views
from recon.data.rooms.shell import RoomSurfaces, WindowStyle, build_room, glaze
from recon.data.rooms.tone import CameraResponse, develop
from recon.data.rooms.trajectory import look
from recon.data.rooms.world import Lamp, World, WorldBuilder
from recon.io.atomic import atomic_write

logger = logging.getLogger(__name__)

ROOM_SEED, CAMERA_SEED = 9, 1
NUM_VIEWS = 10
SIZE = (800, 600)
FOCAL_PX = 640.0
SUPERSAMPLING = 3
JPEG_QUALITY = 86
NOISE = 0.8
ROOM = (0.0, 0.0, 5.6, 4.8)
RESPONSE = CameraResponse(0.56, (1.02, 1.0, 0.98), 1.1, 1.05, 0.7, 0.04, (0.0,))
TARGET = np.array([2.75, 3.5, 0.85])


class SampleRoom:
    """A living room, seen from the south."""

    def __init__(self, library: TextureLibrary, seed: int = ROOM_SEED):
        self.builder = WorldBuilder()
        self.paint = Paint(self.builder, library, np.random.default_rng(seed))
        self.rng = self.paint.rng
        self.room = Room(ROOM, 2.6, room_walls(ROOM))
        self.room.walls[1].openings.append(Opening(1.4, 3.4, 0.75, 2.2, "window"))
        self.room.walls[3].openings.append(Opening(1.2, 2.6, 0.75, 2.2, "window"))

    def build(self) -> World:
        """Shell, furniture, decoration, light."""
        self._shell()
        self._furniture()
        self._pictures()
        lighting = self.builder.lighting
        lighting.sky = (0.9, 0.95, 1.05)
        lighting.ambient = (0.03, 0.03, 0.03)
        lighting.panorama = self._texture("panorama")
        lighting.panorama_gain = 1.1
        lay_ground(self.builder, self.paint.textured("grass"), (2.8, 2.4), 40.0, -0.3, 3.0)
        plant_surroundings(self.builder, self.paint, (2.8, 2.4), 6.0, 16.0, -0.3, 9)
        return self.builder.build()

    def _texture(self, kind: str) -> int:
        index = self.paint.library.pick(self.rng, kind)
        return self.builder.texture("library", index, self.paint.library[index])

    def _shell(self) -> None:
        paint = self.paint
        surfaces = RoomSurfaces(
            floor=paint.textured("floor_boards", specular=0.03, mirror=0.03),
            wall=paint.textured("wallpaper"),
            accent=paint.textured("bricks"),
            ceiling=paint.textured("white_plaster"),
            trim=paint.trim(),
        )
        build_room(self.builder, self.room, surfaces, 0.2, 0.1)
        style = WindowStyle(0.06, 2, 2, 0.6)
        cloth = paint.textured("fabric", scale=1.5)
        for wall in self.room.walls:
            for hole in wall.openings:
                glaze(self.builder, wall, hole, 0.2, style, surfaces.trim, (2.2, 2.3, 2.4))
                dress_window(self.builder, paint, self.room, wall, hole, cloth)

    def _put(self, thing: Item, x: float, y: float, degrees: float = 0.0, z: float = 0.0) -> None:
        thing.place(self.builder, (x, y, z), float(np.radians(degrees)))

    def _furniture(self) -> None:
        paint = self.paint
        rug = rectangle(np.array([1.4, 2.0, 0.008]), np.array([2.7, 0, 0]), np.array([0, 1.7, 0]), 0.1)
        self.builder.add(rug, paint.picture(2.7, 1.7, "rug"))
        self._put(carpentry.sofa(paint, 2.1), 2.75, 4.3)
        self._put(carpentry.sofa(paint, 0.95), 4.85, 3.1, -75.0)
        self._put(carpentry.bookcase(paint, 1.2, 2.1), 0.75, 4.62)
        self._put(carpentry.bookcase(paint, 0.9, 1.5), 4.9, 4.62)
        table = carpentry.table(paint, 1.15, 0.65, 0.42)
        self._put(table, 2.75, 2.9, 4.0)
        self._put(carpentry.cabinet(paint, 1.3, 0.42, 0.8), 0.25, 3.4, 90.0)
        self._put(carpentry.chair(paint), 0.85, 2.2, 130.0)
        self._put(clutter.potted_plant(paint, 1.3), 4.15, 4.45)
        self._put(clutter.potted_plant(paint, 0.9), 0.4, 2.35)
        for x, y, z in ((2.45, 2.95, 0.42), (2.95, 2.8, 0.42), (3.1, 3.05, 0.42), (2.65, 2.75, 0.42)):
            self._put(clutter.small_thing(paint), x, y, float(self.rng.uniform(0, 360)), z)
        for y in (3.0, 3.35, 3.75):
            self._put(clutter.small_thing(paint), 0.25, y, float(self.rng.uniform(0, 360)), 0.8)
        lamp, bulb = carpentry.standing_lamp(paint, 1.6)
        self._put(lamp, 1.55, 4.5)
        self.builder.lighting.lamps.append(Lamp((1.55, 4.5, bulb), 0.08, (0.5, 0.4, 0.28)))

    def _pictures(self) -> None:
        north, west = self.room.walls[2], self.room.walls[3]
        for middle, z, width, height in ((2.15, 1.75, 0.5, 0.65), (2.85, 1.7, 0.62, 0.5), (3.5, 1.78, 0.4, 0.55)):
            framed_picture(self.builder, self.paint, north, middle, z, width, height)
        framed_picture(self.builder, self.paint, west, 0.7, 1.6, 0.7, 0.9)


def cameras() -> list[View]:
    """A hand-held arc around the coffee table."""
    rng = np.random.default_rng(CAMERA_SEED)
    K = np.array([[FOCAL_PX, 0, SIZE[0] / 2], [0, FOCAL_PX, SIZE[1] / 2], [0, 0, 1]])
    views = []
    for i, angle in enumerate(np.radians(np.linspace(-128, -58, NUM_VIEWS) + rng.normal(0, 1, NUM_VIEWS))):
        radius = 2.9 + 0.12 * np.sin(0.9 * i) + rng.normal(0, 0.04)
        center = TARGET + np.array([radius * np.cos(angle), radius * np.sin(angle), 0.0])
        center[2] = 1.45 + 0.1 * np.sin(1.7 * i) + rng.normal(0, 0.03)
        away = TARGET + rng.normal(0, 0.08, 3) - center
        yaw, pitch = np.arctan2(away[1], away[0]), np.arctan2(away[2], np.hypot(away[0], away[1]))
        views.append(View(look(center, float(yaw), float(pitch), float(rng.normal(0, 0.012))), K, SIZE))
    return views


def _finer(view: View) -> View:
    """The same camera with SUPERSAMPLING x SUPERSAMPLING pixels for each pixel."""
    K = view.K * np.array([[SUPERSAMPLING], [SUPERSAMPLING], [1]])
    return View(view.cam_from_world, K, (view.size[0] * SUPERSAMPLING, view.size[1] * SUPERSAMPLING))


def light_everywhere(world: World, views: list[View]) -> Float32[np.ndarray, "vertices 3"]:
    """Irradiance over pi at all vertices, on the sides that the views see where they see one."""
    vertices, normals = seen_vertices(world, trace_views(world, views).hits)
    facing = world.normals.copy()
    facing[vertices] = normals
    return bake(world, np.arange(len(facing)), facing)


def photograph(library: TextureLibrary, views: list[View]) -> list[UInt8[np.ndarray, "height width 3"]]:
    """Pictures (sRGB) with small changes of exposure and a little sensor noise."""
    rng = np.random.default_rng(CAMERA_SEED)
    world = SampleRoom(library).build()
    light = light_everywhere(world, views)
    steps = rng.normal(0, 0.08, len(views))
    white = expose(world, trace_views(world, views[:: len(views) // 2]), light, RESPONSE)[1]
    pictures = []
    for view, step in zip(views, steps, strict=True):
        response = replace(RESPONSE, exposure_steps=(float(step),))
        fine = develop(expose(world, trace_views(world, [_finer(view)]), light, response)[0], white, response)[0]
        image = cv2.resize(fine, view.size, interpolation=cv2.INTER_AREA).astype(np.float32)
        image += rng.normal(0, NOISE, image.shape).astype(np.float32)
        pictures.append(np.clip(image.round(), 0, 255).astype(np.uint8))
        logger.info("picture %d of %d", len(pictures), len(views))
    return pictures


def transforms_json(views: list[View], names: list[str]) -> dict:
    """The cameras in the transforms.json convention: OpenGL camera-to-world."""
    frames = []
    for view, name in zip(views, names, strict=True):
        world_from_cam: Float[np.ndarray, "4 4"] = np.linalg.inv(view.cam_from_world) @ np.diag([1.0, -1, -1, 1])
        frames.append({"file_path": name, "transform_matrix": world_from_cam.round(7).tolist()})
    K, (width, height) = views[0].K, views[0].size
    intrinsics = {"fl_x": K[0, 0], "fl_y": K[1, 1], "cx": K[0, 2], "cy": K[1, 2], "w": width, "h": height}
    return {**intrinsics, "frames": frames}


def write_sample(library: TextureLibrary, folder: Path, truth: Path) -> None:
    """Write room_01.jpg ... into `folder` and the cameras to the JSON file `truth`."""
    views = cameras()
    names = [f"room_{i + 1:02d}.jpg" for i in range(len(views))]
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in zip(names, photograph(library, views), strict=True):
        with atomic_write(folder / name) as path:
            data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
            path.write_bytes(data.tobytes())
    with atomic_write(truth) as path:
        path.write_text(json.dumps(transforms_json(views, names), indent=1) + "\n")


def main(arguments: list[str] | None = None) -> None:
    """The command behind scripts/render_sample."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    parser = ArgumentParser(prog="render_sample", description="Render the sample capture again.")
    parser.add_argument("--out", type=Path, default=Path("datasets/sample"), help="folder of the photographs")
    parser.add_argument("--truth", type=Path, default=Path("tests/fixtures/sample_cameras.json"), help="true cameras")
    textures = Path(f".cache/textures-{TEXTURE_VERSION}")
    parser.add_argument("--textures", type=Path, default=textures, help="texture library, made if absent")
    options = parser.parse_args(arguments)
    write_sample(open_library(options.textures), options.out, options.truth)


if __name__ == "__main__":
    main()
