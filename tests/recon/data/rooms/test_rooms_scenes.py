from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from recon.data.room_scenes import RoomScenes
from recon.data.rooms.generate import RoomsConfig, generate, make_scene, scene_path
from recon.data.rooms.layout import Site, build_site
from recon.data.rooms.plan import make_plan
from recon.data.rooms.render import View, render
from recon.data.rooms.scene_file import SceneArrays, write_scene
from recon.data.rooms.tone import sample_response
from recon.data.rooms.trajectory import CLEARANCE, PathLimits, look, walk
from recon.errors import FormatError, GeometryError, InputError
from recon.types import Cameras


@pytest.fixture(scope="module")
def scene(small_library) -> SceneArrays:
    return make_scene("val", 3, small_library, None, 3, 64)


def unproject(scene: SceneArrays, view: int, pixels: np.ndarray) -> np.ndarray:
    depth = 1 / scene.inverse_depth[view].astype(float)[pixels[:, 1], pixels[:, 0]]
    K, pose = scene.K[view].astype(float), scene.cam_from_world[view].astype(float)
    local = np.column_stack([(pixels + 0.5 - K[:2, 2]) / np.diag(K)[:2], np.ones(len(pixels))]) * depth[:, None]
    return (local - pose[:3, 3]) @ pose[:3, :3]


def test_the_same_number_gives_the_same_scene_and_another_gives_another(scene: SceneArrays, small_library):
    again = make_scene("val", 3, small_library, None, 3, 64)
    other = make_scene("train", 3, small_library, None, 3, 64)
    assert np.array_equal(scene.images, again.images)
    assert np.array_equal(scene.inverse_depth, again.inverse_depth)
    assert not np.array_equal(scene.cam_from_world, other.cam_from_world)


def test_cameras_are_valid_and_level(scene: SceneArrays):
    size = torch.tensor([[64, 64]] * 3)
    Cameras(torch.from_numpy(scene.cam_from_world), torch.from_numpy(scene.K), size).validate()
    right = scene.cam_from_world[:, 0, :3]
    assert np.abs(np.degrees(np.arcsin(right[:, 2]))).max() <= 2.0
    fov = np.degrees(2 * np.arctan(32 / scene.K[:, 0, 0]))
    assert ((fov >= 49.9) & (fov <= 85.1)).all()


def test_points_reproject_with_the_same_depth_unless_hidden(scene: SceneArrays):
    grid = np.stack(np.meshgrid(np.arange(4, 60, 2), np.arange(4, 60, 2)), -1).reshape(-1, 2)
    grid = grid[scene.inverse_depth[0][grid[:, 1], grid[:, 0]] > 0.05]
    pose, K = scene.cam_from_world[1].astype(float), scene.K[1].astype(float)
    local = unproject(scene, 0, grid) @ pose[:3, :3].T + pose[:3, 3]
    pixel = local[:, :2] / local[:, 2:] * np.diag(K)[:2] + K[:2, 2]
    inside = (local[:, 2] > 0.1) & ((pixel > 1) & (pixel < 63)).all(1)
    column, row = pixel[inside].astype(int).T
    there = 1 / np.maximum(scene.inverse_depth[1].astype(float)[row, column], 1e-4)
    ratio = local[inside, 2] / there
    assert inside.mean() > 0.3
    assert (np.abs(ratio - 1) < 0.05).mean() > 0.75
    assert (ratio < 0.9).mean() < 0.08  # a point in front of what the other view sees would be a contradiction


def test_no_camera_is_inside_or_near_anything(small_library):
    site = build_site(np.random.default_rng(5), small_library, None, outdoors=False)
    views = walk(site, np.random.default_rng(6), 6, 32)
    centers = np.stack([v.center for v in views]).astype(np.float32)
    assert site.world.distance(centers).min() >= CLEARANCE
    floor_hits, _, _ = site.world.cast(np.concatenate([centers, np.tile([0, 0, -1], (6, 1))], 1).astype(np.float32))
    assert (floor_hits >= 0).all()


@pytest.fixture(scope="module")
def house(small_library) -> Site:
    """A site of several rooms."""
    sites = (build_site(np.random.default_rng(seed), small_library, None, outdoors=False) for seed in range(20))
    return next(site for site in sites if site.ways)


def _contains(rect, point: np.ndarray) -> bool:
    return bool(rect[0] < point[0] < rect[2] and rect[1] < point[1] < rect[3])


def test_doorways_are_open_and_lead_from_one_room_into_another(house: Site):
    for middle, inward in house.ways:
        inside = [r for r in house.floors if _contains(r, middle + 0.3 * inward)]
        behind = [r for r in house.floors if _contains(r, middle - 0.55 * inward)]
        assert len(inside) == len(behind) == 1
        assert inside != behind
        ray = np.array([[*(middle + 0.1 * inward), 1.6, *(-0.4 * inward), 0.0]], np.float32)
        assert not house.world.occluded(ray, 1.0).any()


def test_some_paths_walk_through_a_doorway(house: Site):
    crossings = 0
    for seed in range(25):
        centers = [v.center for v in walk(house, np.random.default_rng(seed), 4, 16, candidates=1)]
        rooms = [next((r for r in house.floors if _contains(r, c)), None) for c in (centers[0], centers[-1])]
        crossings += rooms[0] != rooms[1]
    assert crossings >= 1


@pytest.mark.parametrize("outdoors", [False, True])
def test_paths_keep_their_limits(small_library, outdoors: bool):
    site = build_site(np.random.default_rng(11), small_library, None, outdoors)
    views = walk(site, np.random.default_rng(12), 4, 48)
    depth = 1 / np.maximum(
        render(site.world, [views[0], views[-1]], sample_response(np.random.default_rng(0), 2)).inverse_depth, 1e-3
    )
    baseline = np.linalg.norm(views[0].center - views[-1].center)
    assert 0.05 < baseline / np.median(depth) < 1.2


def test_an_impossible_path_is_an_error(small_library):
    site = build_site(np.random.default_rng(5), small_library, None, outdoors=False)
    with pytest.raises(GeometryError, match="no camera path"):
        walk(site, np.random.default_rng(0), 2, 16, PathLimits(nearest=1e3), tries=2)


def test_looking_north_on_the_level():
    pose = look(np.array([1.0, 2.0, 1.5]), np.pi / 2, 0.0, 0.0)
    assert np.allclose(pose[:3, :3], [[1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-9)
    assert np.allclose(View(pose, np.eye(3), (4, 4)).center, [1, 2, 1.5])


@pytest.mark.parametrize("seed", range(12))
def test_rooms_of_a_plan_do_not_overlap_and_every_doorway_has_two_sides(seed: int):
    plan = make_plan(np.random.default_rng(seed))
    for i, a in enumerate(plan.rooms):
        for b in plan.rooms[i + 1 :]:
            width = min(a.rect[2], b.rect[2]) - max(a.rect[0], b.rect[0])
            depth = min(a.rect[3], b.rect[3]) - max(a.rect[1], b.rect[1])
            assert min(width, depth) <= 1e-9
    ways = [o for room in plan.rooms for wall in room.walls for o in wall.openings if o.kind in ("door", "arch")]
    assert len(ways) % 2 == 0
    assert len(ways) >= 2 * (len(plan.rooms) - 1)
    for room in plan.rooms:
        for wall in room.walls:
            for o in wall.openings:
                assert -1e-6 <= o.start < o.end <= wall.length + 1e-6


def test_a_scene_survives_the_cache(scene: SceneArrays, tmp_path: Path):
    (tmp_path / "val").mkdir()
    write_scene(tmp_path / "val" / "000003.safetensors", scene, {"seed": "3"})
    read = RoomScenes(tmp_path, "val")[0]
    assert read.name == "val/000003"
    assert read.images.shape == (3, 3, 64, 64)
    error = (read.images.permute(0, 2, 3, 1).numpy().astype(int) - scene.images).astype(float)
    assert np.sqrt((error**2).mean()) < 4
    assert torch.equal(read.inverse_depth, torch.from_numpy(scene.inverse_depth).float())
    assert torch.equal(read.cam_from_world, torch.from_numpy(scene.cam_from_world))
    assert torch.equal(read.K, torch.from_numpy(scene.K))


def test_generating_resumes_and_the_reader_sees_new_scenes(small_library, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("recon.data.rooms.generate.open_library", lambda folder: small_library)
    config = RoomsConfig(tmp_path, tmp_path / "textures", None, num_views=2, size=32)
    generate(config, "train", 1, processes=1)
    scenes = RoomScenes(tmp_path, "train")
    stamp = scene_path(tmp_path, "train", 0).stat().st_mtime_ns
    generate(config, "train", 2, processes=1)
    assert len(scenes) == 1
    assert scenes.refresh() == len(scenes) == 2
    assert scene_path(tmp_path, "train", 0).stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"K": None}, "holds no K"),
        ({"K": np.zeros((2, 3, 3), np.float32)}, r"K has shape \(2, 3, 3\), expected \(3, 3, 3\)"),
        ({"inverse_depth": np.zeros((3, 32, 64), np.float16)}, r"inverse_depth has shape \(3, 32, 64\)"),
        ({"jpeg_offsets": np.array([0, 0, 10, 20])}, "picture 0 is not a JPEG"),
        ({"jpeg_offsets": np.array([-9, 10])}, "picture 0 is not a JPEG"),
        ({"jpeg_offsets": np.array([0])}, "0 pictures of several sizes"),
        ({"jpeg": np.zeros(9, np.int32)}, "numbers of torch.int32, expected bytes"),
    ],
)
def test_damaged_scenes_say_what_is_wrong(scene: SceneArrays, tmp_path: Path, changes: dict, found: str):
    (tmp_path / "val").mkdir()
    path = tmp_path / "val" / "000000.safetensors"
    write_scene(path, scene, {})
    with safe_open(path, framework="numpy") as stored:
        metadata = stored.metadata()
        tensors = {name: stored.get_tensor(name) for name in stored.keys()} | changes  # noqa: SIM118
    save_file({name: value for name, value in tensors.items() if value is not None}, path, metadata)
    with pytest.raises(FormatError, match=found):
        RoomScenes(tmp_path, "val")[0]


def test_a_missing_folder_and_foreign_files_are_named(tmp_path: Path):
    with pytest.raises(InputError, match="no such folder"):
        RoomScenes(tmp_path, "train")
    (tmp_path / "val").mkdir()
    save_file({"x": np.zeros(1)}, tmp_path / "val" / "0.safetensors", {"format": "other"})
    (tmp_path / "val" / "1.safetensors").write_bytes(b"not a scene")
    scenes = RoomScenes(tmp_path, "val")
    with pytest.raises(FormatError, match="other"):
        scenes[0]
    with pytest.raises(FormatError, match=r"1\.safetensors"):
        scenes[1]
