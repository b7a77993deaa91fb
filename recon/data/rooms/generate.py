"""Filling a cache folder with scenes, with several processes, resumable."""

import logging
import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recon.data.rooms.furniture import FurnitureLibrary
from recon.data.rooms.layout import build_site
from recon.data.rooms.library import TextureLibrary, open_library
from recon.data.rooms.render import render
from recon.data.rooms.scene_file import SceneArrays, write_scene
from recon.data.rooms.tone import sample_response
from recon.data.rooms.trajectory import walk
from recon.errors import GeometryError

logger = logging.getLogger(__name__)

GENERATOR_VERSION = 5
SPLIT_SEEDS = {"train": 0, "val": 1}
ATTEMPTS = 12


@dataclass(frozen=True)
class RoomsConfig:
    """What to generate.

    Attributes:
        out: Cache folder; scenes go to out/SPLIT/NUMBER.safetensors.
        textures: Folder of the texture library, made when absent.
        furniture: Folder of converted furniture models, or None for carpentry only.
        num_views: Pictures a scene.
        size: Edge of a picture in pixels.
    """

    out: Path
    textures: Path
    furniture: Path | None
    num_views: int = 10
    size: int = 256


def make_scene(
    split: str, number: int, library: TextureLibrary, furniture: FurnitureLibrary | None, num_views: int, size: int
) -> SceneArrays:
    """The scene of a number; the same arguments give the same scene.

    Raises:
        GeometryError: No camera path was found in any of the worlds tried.
    """
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng([GENERATOR_VERSION, SPLIT_SEEDS[split], number, attempt])
        site = build_site(rng, library, furniture)
        try:
            views = walk(site, rng, num_views, size)
        except GeometryError as error:
            logger.debug("%s %d, attempt %d: %s", split, number, attempt, error)
            continue
        renders = render(site.world, views, sample_response(rng, num_views))
        return SceneArrays(
            images=renders.images,
            inverse_depth=renders.inverse_depth.astype(np.float16),
            cam_from_world=np.stack([v.cam_from_world for v in views]).astype(np.float32),
            K=np.stack([v.K for v in views]).astype(np.float32),
        )
    raise GeometryError(f"{split} scene {number}: no camera path in {ATTEMPTS} worlds")


def scene_path(out: Path, split: str, number: int) -> Path:
    """File of a scene."""
    return out / split / f"{number:06d}.safetensors"


def _work(config: RoomsConfig, split: str, numbers: list[int]) -> None:
    library = open_library(config.textures)
    furniture = None if config.furniture is None else FurnitureLibrary(config.furniture)
    for number in numbers:
        path = scene_path(config.out, split, number)
        if path.exists():
            continue
        scene = make_scene(split, number, library, furniture, config.num_views, config.size)
        metadata = {"split": split, "seed": str(number), "generator_version": str(GENERATOR_VERSION)}
        write_scene(path, scene, metadata)
        if number % 50 == 0:
            logger.info("%s: scene %d written", split, number)


def generate(config: RoomsConfig, split: str, count: int, processes: int) -> None:
    """Write the scenes 0..count-1 of a split that are not there yet."""
    (config.out / split).mkdir(parents=True, exist_ok=True)
    open_library(config.textures)
    missing = [n for n in range(count) if not scene_path(config.out, split, n).exists()]
    logger.info("%s: %d of %d scenes to make in %s", split, len(missing), count, config.out)
    if processes <= 1:
        _work(config, split, missing)
        return
    context = multiprocessing.get_context("spawn")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workers = [
        context.Process(target=_work, args=(config, split, missing[i::processes]), name=f"rooms-{i}")
        for i in range(processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    failed = [w.name for w in workers if w.exitcode]
    if failed:
        raise GeometryError(
            f"{', '.join(failed)} ended with an error", hint="its message stands above; run again to resume"
        )
