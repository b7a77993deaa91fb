"""The picture of the README, from the result of the quickstart."""

from pathlib import Path

import numpy as np
from PIL import Image

from recon.io.scene_folder import load_scene
from recon.pipeline.pictures import colored_depth, depth_range, pictures
from recon.render.trajectory import tour

ROOT = Path(__file__).resolve().parent.parent
SCENE, TARGET = ROOT / "out" / "sample", ROOT / "docs" / "images"
COLUMNS, WIDTH, GAP = 4, 300, 6


def main() -> None:
    """Three rows: photographs, new views between them, their depth."""
    scene = load_scene(SCENE)
    if scene.cameras is None:
        raise SystemExit(f"{SCENE} has no cameras; run ./scripts/quickstart first")
    path = tour(scene.cameras, 2 * 3 * COLUMNS)[list(range(1, 3 * COLUMNS, 3))]
    near, far = depth_range(scene.gaussians, path)
    photographs = sorted((ROOT / "datasets" / "sample").glob("*.jpg"))
    step = len(photographs) / COLUMNS
    rows = [
        [np.asarray(Image.open(photographs[int(i * step)])) for i in range(COLUMNS)],
        [picture.color for picture in pictures(scene.gaussians, path)],
        [
            colored_depth(picture.depth, near, far)
            for picture in pictures(scene.gaussians, path, depth=True)
            if picture.depth is not None
        ],
    ]
    TARGET.mkdir(parents=True, exist_ok=True)
    sheet(rows).save(TARGET / "sample.jpg", quality=88, optimize=True)


def sheet(rows: list[list[np.ndarray]]) -> Image.Image:
    """Pictures in rows and columns on white."""
    height, width = rows[0][0].shape[:2]
    size = (WIDTH, round(WIDTH * height / width))
    canvas = Image.new("RGB", (COLUMNS * (WIDTH + GAP) - GAP, len(rows) * (size[1] + GAP) - GAP), "white")
    for y, row in enumerate(rows):
        for x, pixels in enumerate(row):
            small = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
            canvas.paste(small, (x * (WIDTH + GAP), y * (size[1] + GAP)))
    return canvas


if __name__ == "__main__":
    main()
