import numpy as np
import pytest

from recon.data.rooms.knickknacks import KITCHEN_MAKERS, MAKERS, crowd
from recon.data.rooms.library import RECIPES, TextureLibrary
from recon.data.rooms.paint import VARIANTS, Paint, RichPaint
from recon.data.rooms.world import WorldBuilder

# The sample capture is painted with these; a texture is seeded by the number of its kind.
FIRST_KINDS = [
    *("floor_boards", "parquet", "tiles", "mosaic", "carpet", "plaster", "white_plaster", "wallpaper", "bricks"),
    *("marble", "granite", "wood", "fabric", "painting", "packaging", "book_row", "rug", "blinds", "panorama", "grass"),
    *("gravel", "paving", "roof", "siding", "foliage"),
]


def paint(library: TextureLibrary, seed: int = 0) -> RichPaint:
    return RichPaint(WorldBuilder(), library, np.random.default_rng(seed))


@pytest.mark.parametrize("maker", dict.fromkeys(MAKERS + KITCHEN_MAKERS))
def test_small_things_stand_on_their_top_and_are_small(maker, small_library):
    for seed in range(5):
        thing = maker(paint(small_library, seed))
        points = np.concatenate([part.positions for part, _ in thing.parts])
        assert np.isfinite(points).all()
        assert points[:, 2].min() > -0.02
        assert 0.003 < points[:, 2].max() < 0.95
        assert np.abs(points[:, :2]).max() < 0.6
        for part, _ in thing.parts:
            assert part.faces.max() < len(part.positions)
            assert np.linalg.norm(part.normals, axis=1).max() < 1.01


@pytest.mark.parametrize("seed", range(6))
def test_a_crowd_stays_on_its_top_without_things_inside_each_other(seed: int, small_library):
    width, depth = 1.4, 0.7
    placed = crowd(paint(small_library, seed), width, depth, 12)
    assert len(placed) >= 3
    for thing, x, y in placed:
        assert abs(x) + 0.4 * thing.width <= width / 2 + 1e-6
        assert abs(y) + 0.4 * thing.depth <= depth / 2 + 1e-6
    for i, (a, ax, ay) in enumerate(placed):
        for b, bx, by in placed[i + 1 :]:
            reach = 0.5 * (np.hypot(a.width, a.depth) + np.hypot(b.width, b.depth))
            assert np.hypot(ax - bx, ay - by) > 0.79 * reach


def test_the_rich_paint_draws_finer_kinds_and_the_plain_one_never_does(small_library):
    finer = {other for other, _ in VARIANTS.values()}
    assert finer <= set(RECIPES)
    for painter, expected in ((RichPaint, True), (Paint, False)):
        builder = WorldBuilder()
        drawn = painter(builder, small_library, np.random.default_rng(1))
        for kind in VARIANTS:
            for _ in range(12):
                drawn.textured(kind)
        used = {index for (_, index) in builder._textures}
        assert bool(used & {i for kind in finer for i in small_library.kinds[kind]}) is expected


def test_kinds_that_the_sample_shows_keep_their_numbers():
    assert list(RECIPES)[: len(FIRST_KINDS)] == FIRST_KINDS
