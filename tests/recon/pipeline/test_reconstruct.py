import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from recon.errors import ExportError, FormatError, GeometryError, InputError, PoseError, ResourceError
from recon.io.splats.ply import read_ply
from recon.pipeline.config import PipelineConfig
from recon.pipeline.exporters import ALL_EXPORTERS
from recon.pipeline.planning import require_memory, views_that_fit
from recon.pipeline.reconstruct import reconstruct
from recon.types import Cameras, Gaussians, PoseEstimate, PoseReport

SIDE = 96


class OnePerView:
    """Stands in for a network: one Gaussian in front of each camera."""

    name, weights_sha256, multiple, max_views = "stand-in", "0" * 64, 16, 6

    def reconstruct(self, views, *, points=None):
        means = views.cameras.centers + views.cameras.world_from_cam[:, :3, 2] * 2
        num = len(means)
        quats = torch.tensor([[1.0, 0, 0, 0]]).expand(num, 4)
        return Gaussians(means, torch.full((num, 3), 0.2), quats, torch.full((num,), 0.9), torch.zeros(num, 1, 3))

    def memory_bytes(self, num_views, height, width):
        return 1000 * num_views * height * width


class SideBySide:
    """Stands in for structure from motion: cameras on a line; the last `num_failed` photographs fail."""

    fingerprint = "stand-in"

    def __init__(self, num_failed=0):
        self.num_failed = num_failed

    def estimate(self, photographs, *, seed=0, progress=None):
        num = len(photographs) - self.num_failed
        pose = torch.eye(4).repeat(num, 1, 1)
        pose[:, 0, 3] = -0.1 * torch.arange(num)
        sizes = torch.tensor([p.size for p in photographs[:num]])
        K = torch.stack([torch.tensor([[100.0, 0, w / 2], [0, 100, h / 2], [0, 0, 1]]) for w, h in sizes.tolist()])
        failed = {p.name: "too few matches" for p in photographs[num:]}
        report = PoseReport("stand-in", failed, 0.5, 3.0)
        return PoseEstimate(
            "sfm", tuple(range(num)), Cameras(pose, K, sizes), torch.zeros(num, 4), torch.zeros(0, 3), report
        )


class Notes:
    """Watches a run and writes down what it hears: words of progress, and names of what was made."""

    def __init__(self):
        self.said, self.made, self.events = [], [], []

    def announce(self, event):
        self.said.append(event.message)
        self.events.append(event)

    def poses(self, photographs, pose):
        self.made.append(("poses", [photographs[i].name for i in pose.registered]))

    def gaussians(self, stage, gaussians, views):
        self.made.append((stage, len(gaussians), len(views.posed_cameras)))


def write_photographs(folder: Path, num: int, size=(SIDE, 64)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for i in range(num):
        pixels = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"photo_{i}.jpg")
    return folder


def run(source: Path, out: Path, *, estimator=None, overwrite=False, resume=False, observer=None, **options):
    config = PipelineConfig(**({"resolution": 96, "refine": 0} | options))
    return reconstruct(
        source,
        out,
        reconstructor=OnePerView(),
        pose_estimator=estimator or SideBySide(),
        config=config,
        overwrite=overwrite,
        resume=resume,
        observer=observer,
    )


def test_photographs_become_files_that_read_back(tmp_path):
    source = write_photographs(tmp_path / "in", 3)
    result = run(source, tmp_path / "out")
    names = {p.name for p in result.files}
    assert {"gaussians.ply", "turntable.mp4", "transforms.json", "scene.json"} <= names
    assert all(p.is_file() and p.stat().st_size > 0 for p in result.files)
    assert len(read_ply(tmp_path / "out" / "gaussians.ply")) == 3
    content = json.loads((tmp_path / "out" / "scene.json").read_text())
    assert content["provenance"]["model"] == "stand-in"
    assert content["report"]["poses"]["registered"] == 3
    assert content["report"]["seconds"].keys() == {"load", "poses", "gaussians", "export"}


def test_failed_photographs_are_named(tmp_path):
    result = run(write_photographs(tmp_path / "in", 4), tmp_path / "out", estimator=SideBySide(num_failed=1))
    assert result.report["poses"]["failed"] == {"photo_3.jpg": "too few matches"}
    assert len(result.scene.views) == 3


def test_only_the_asked_files_are_written(tmp_path):
    result = run(write_photographs(tmp_path / "in", 2), tmp_path / "out", export=("ply",))
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"gaussians.ply", "scene.json"}
    assert len(result.files) == 2


def test_portrait_and_landscape_share_a_canvas(tmp_path):
    source = write_photographs(tmp_path / "in", 2)
    write_photographs(tmp_path / "tall", 1, size=(64, SIDE))
    (tmp_path / "tall" / "photo_0.jpg").rename(source / "photo_9.jpg")
    views = run(source, tmp_path / "out", export=("ply",)).scene.views
    assert views.height == views.width == 96
    assert 0.6 < float(views.masks.float().mean()) < 0.7


def test_given_poses_keep_their_frame(tmp_path):
    first = run(write_photographs(tmp_path / "in", 3), tmp_path / "out")
    again = run(tmp_path / "out", tmp_path / "again", poses="given")
    assert again.scene.unit == "given"
    torch.testing.assert_close(again.scene.cameras.cam_from_world, first.scene.cameras.cam_from_world)


def test_the_number_of_views_is_a_bound(tmp_path):
    assert len(run(write_photographs(tmp_path / "in", 6), tmp_path / "out", views=3, export=()).scene.views) == 3


@pytest.mark.parametrize("num", [0, 1])
def test_too_few_photographs(tmp_path, num):
    with pytest.raises(InputError):
        run(write_photographs(tmp_path / "in", num), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_only_one_photograph_placed(tmp_path):
    with pytest.raises(PoseError, match="1 of 3"):
        run(write_photographs(tmp_path / "in", 3), tmp_path / "out", estimator=SideBySide(num_failed=2))
    assert not (tmp_path / "out").exists()


def test_an_unreadable_photograph_is_named(tmp_path):
    source = write_photographs(tmp_path / "in", 2)
    (source / "notes.jpg").write_text("not an image")
    with pytest.raises(FormatError, match=r"notes\.jpg"):
        run(source, tmp_path / "out")


def test_existing_output_needs_overwrite(tmp_path):
    source, out = write_photographs(tmp_path / "in", 2), tmp_path / "out"
    run(source, out, export=("ply",))
    with pytest.raises(ExportError, match="already holds"):
        run(source, out, export=("ply",))
    (out / "mine.txt").write_text("keep")
    run(source, out, export=("ply",), overwrite=True)
    assert (out / "mine.txt").read_text() == "keep"


def test_results_of_an_earlier_run_do_not_stay_beside_the_new_ones(tmp_path):
    source, out = write_photographs(tmp_path / "in", 2), tmp_path / "out"
    run(source, out)
    run(source, out, export=("ply",), overwrite=True)
    assert {p.name for p in out.rglob("*") if p.is_file()} == {"gaussians.ply", "scene.json"}


@pytest.mark.parametrize("folder", ["images", "sparse/0", "depth"])
def test_results_never_replace_the_folder_that_holds_the_input(tmp_path, folder):
    write_photographs(tmp_path / folder, 2)
    with pytest.raises(InputError, match="where the input is"):
        run(tmp_path / folder, tmp_path, overwrite=True)


@pytest.mark.parametrize("place", ["", "images"])
def test_results_never_replace_the_input(tmp_path, place):
    first = run(write_photographs(tmp_path / "in", 2), tmp_path / "posed", export=("transforms",))
    before = {p: p.read_bytes() for p in first.files}
    with pytest.raises(InputError, match="where the input is"):
        run(tmp_path / "posed", tmp_path / "posed" / place, overwrite=True)
    assert {p: p.read_bytes() for p in before} == before


def test_wrong_poses_do_not_matter_when_they_are_to_be_found_anew(tmp_path):
    run(write_photographs(tmp_path / "in", 2), tmp_path / "posed", export=("transforms",))
    file = tmp_path / "posed" / "transforms.json"
    file.write_text(file.read_text().replace("1.0", "7.0"))
    assert run(tmp_path / "posed", tmp_path / "out", poses="sfm", export=()).report["poses"]["source"] == "sfm"


def test_exported_views_have_no_margin(tmp_path):
    source = write_photographs(tmp_path / "in", 2)
    write_photographs(tmp_path / "tall", 1, size=(64, SIDE))
    (tmp_path / "tall" / "photo_0.jpg").rename(source / "photo_9.jpg")
    first = run(source, tmp_path / "out", export=("transforms",)).scene
    again = run(tmp_path / "out", tmp_path / "again", export=()).scene
    assert torch.equal(again.views.masks, first.views.masks)
    torch.testing.assert_close(again.cameras.K, first.cameras.K, atol=1e-3, rtol=0)


def test_memory_is_planned_before_poses_are_sought(tmp_path, monkeypatch):
    monkeypatch.setattr(OnePerView, "memory_bytes", lambda self, n, h, w: 2**50)
    monkeypatch.setattr(SideBySide, "estimate", lambda *a, **k: pytest.fail("poses were sought"))
    with pytest.raises(ResourceError):
        run(write_photographs(tmp_path / "in", 2), tmp_path / "out")


def test_a_source_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        run(tmp_path / "nowhere", tmp_path / "out")


def test_given_poses_must_be_there(tmp_path):
    with pytest.raises(InputError, match=r"no transforms\.json"):
        run(write_photographs(tmp_path / "in", 2), tmp_path / "out", poses="given")


def test_a_pose_with_nan_is_refused_and_nothing_is_written(tmp_path):
    run(write_photographs(tmp_path / "in", 2), tmp_path / "posed", export=("transforms",))
    file = tmp_path / "posed" / "transforms.json"
    content = json.loads(file.read_text())
    content["frames"][1]["transform_matrix"][0][3] = float("nan")
    file.write_text(json.dumps(content))
    with pytest.raises((GeometryError, FormatError)):
        run(tmp_path / "posed", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_failing_exporter_leaves_no_trace(tmp_path, monkeypatch):
    def fail(scene, folder):
        (folder / "half.bin").write_bytes(b"x")
        raise ExportError("disk full")

    monkeypatch.setitem(ALL_EXPORTERS, "ply", fail)
    with pytest.raises(ExportError, match="disk full"):
        run(write_photographs(tmp_path / "in", 2), tmp_path / "out", export=("ply",))
    assert {p.name for p in tmp_path.iterdir()} == {"in", ".out.stages"}


def test_an_observer_sees_what_is_made_as_it_comes(tmp_path):
    notes = Notes()
    run(write_photographs(tmp_path / "in", 4), tmp_path / "out", estimator=SideBySide(1), observer=notes, refine=2,
        export=("ply",))  # fmt: skip
    assert notes.made[0] == ("poses", ["photo_0.jpg", "photo_1.jpg", "photo_2.jpg"])
    assert [(made[0], made[2]) for made in notes.made[1:]] == [("gaussians", 3), ("refinement", 3)]
    stages = list(dict.fromkeys(event.stage for event in notes.events))
    assert stages == ["load", "poses", "gaussians", "refinement", "export"]
    fractions = [event.fraction for event in notes.events]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] < 1


def interrupt(scene, folder):
    raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_where_it_was(tmp_path, monkeypatch):
    """Ctrl-C while files are written: poses, Gaussians and refinement are not repeated, and the result is the same."""
    source, notes, options = write_photographs(tmp_path / "in", 3), Notes(), {"export": ("ply",), "refine": 2}
    whole = run(source, tmp_path / "whole", **options)
    with monkeypatch.context() as patch:
        patch.setitem(ALL_EXPORTERS, "ply", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(source, tmp_path / "out", observer=notes, **options)
    assert "--resume" in notes.said[-1]
    assert not (tmp_path / "out").exists()
    with monkeypatch.context() as patch:
        patch.setattr(SideBySide, "estimate", lambda *a, **k: pytest.fail("poses were sought again"))
        patch.setattr(OnePerView, "reconstruct", lambda *a, **k: pytest.fail("the network ran again"))
        patch.setattr("recon.pipeline.reconstruct.refine", lambda *a, **k: pytest.fail("refined again"))
        run(source, tmp_path / "out", resume=True, **options)
    assert (tmp_path / "out" / "gaussians.ply").read_bytes() == whole.files[0].read_bytes()
    assert {p.name for p in tmp_path.iterdir()} == {"in", "out", "whole"}


@pytest.mark.parametrize("change", [{"seed": 5}, {"resolution": 64}, "photograph", "damage"])
def test_stages_of_other_options_or_photographs_are_not_used(tmp_path, monkeypatch, change):
    source, options = write_photographs(tmp_path / "in", 3), {"export": ("ply",)}
    with monkeypatch.context() as patch:
        patch.setitem(ALL_EXPORTERS, "ply", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(source, tmp_path / "out", **options)
    if change == "photograph":
        Image.new("RGB", (SIDE, 64), "red").save(source / "photo_0.jpg")
    elif change == "damage":
        for stage in (tmp_path / ".out.stages").iterdir():
            stage.write_bytes(stage.read_bytes()[:40])
    else:
        options |= change
    resumed = run(source, tmp_path / "out", resume=True, **options)
    anew = run(source, tmp_path / "anew", **options)
    assert resumed.files[0].read_bytes() == anew.files[0].read_bytes()


def test_a_mistyped_source_does_not_cost_what_is_kept(tmp_path):
    stages = tmp_path / ".out.stages"
    stages.mkdir()
    (stages / "poses.safetensors").write_bytes(b"old")
    with pytest.raises(InputError):
        run(tmp_path / "nowhere", tmp_path / "out")
    assert (stages / "poses.safetensors").read_bytes() == b"old"


def test_a_full_disk_is_seen_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    monkeypatch.setattr(SideBySide, "estimate", lambda *a, **k: pytest.fail("poses were sought"))
    with pytest.raises(ExportError, match="its disk has"):
        run(write_photographs(tmp_path / "in", 2), tmp_path / "out")


def test_without_resume_kept_stages_are_thrown_away(tmp_path):
    stages = tmp_path / ".out.stages"
    stages.mkdir()
    (stages / "poses.safetensors").write_bytes(b"old")
    run(write_photographs(tmp_path / "in", 2), tmp_path / "out", export=())
    assert not stages.exists()


def test_every_view_has_a_use_in_the_report(tmp_path):
    report = run(write_photographs(tmp_path / "in", 20), tmp_path / "out", export=(), quality="fast", refine=2).report
    uses = list(report["views"].values())
    assert sum(use.startswith("network") for use in uses) == 8
    assert uses.count("held back to measure") == 1
    assert uses.count("refinement only") == 11
    assert report["refinement"]["steps_run"] == 2


def test_the_frame_of_the_results_can_be_chosen(tmp_path):
    source = write_photographs(tmp_path / "in", 3)
    first = run(source, tmp_path / "out", export=()).scene
    turned = run(source, tmp_path / "turned", export=(), frame="opengl", up="none").scene
    flip = torch.tensor([1.0, -1.0, -1.0])
    torch.testing.assert_close(turned.gaussians.means, first.gaussians.means * flip)
    torch.testing.assert_close(turned.cameras.centers, first.cameras.centers * flip)


@pytest.mark.parametrize(
    "options", [{"export": ("obj",)}, {"views": 1}, {"resolution": 5000}, {"refine": -1}, {"up": "sky"}]
)
def test_options_without_meaning(tmp_path, options):
    with pytest.raises(InputError):
        run(write_photographs(tmp_path / "in", 2), tmp_path / "out", **options)


@pytest.mark.parametrize(("megabytes", "views"), [(10_000, 6), (500, 4), (1, 2)])
def test_groups_are_as_large_as_memory_allows(megabytes, views):
    """One view of 256 x 384 takes this stand-in 98 MB, and 85 % of the memory may be planned with."""
    assert views_that_fit(OnePerView(), 6, 256, 384, available=megabytes * 10**6) == views


def test_memory_is_planned_before_the_run():
    assert require_memory(OnePerView(), 8, 256, 384, available=2**30) == 1000 * 8 * 256 * 384
    with pytest.raises(ResourceError, match="need about") as caught:
        require_memory(OnePerView(), 200, 256, 384, available=2**30)
    assert "--views 9" in caught.value.hint
    with pytest.raises(ResourceError, match="refining up to 2,000,000 Gaussians"):
        require_memory(OnePerView(), 2, 64, 64, num_refined=2_000_000, available=2**30)
