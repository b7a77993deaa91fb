from dataclasses import replace
from pathlib import Path

import pytest

from app.web.jobs.settings import JobSettings
from recon.errors import InputError


def test_the_defaults_are_valid_and_read_back():
    settings = JobSettings().validate()
    assert JobSettings.from_json(settings.to_json()) == settings
    other = JobSettings("sfm", "fast", True, ("glb", "points"), 12, 2.5, 7).validate()
    assert JobSettings.from_json(other.to_json()) == other


def test_the_ply_is_always_written_and_the_mesh_when_asked_for():
    assert JobSettings(exports=()).all_exports == ("ply",)
    assert JobSettings(exports=("spz", "ply", "mesh"), mesh=True).all_exports == ("ply", "spz", "mesh")


def test_options_are_those_of_the_command_line():
    options = JobSettings("given", "best", exports=("mp4",), views=9, seed=3).to_options(Path("a"), Path("b"))
    assert (options.poses, options.quality, options.views, options.seed) == ("given", "best", 9, 3)
    assert (options.input, options.out, options.export) == (Path("a"), Path("b"), ("ply", "mp4"))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("poses", ["guess", None, 3]),
        ("quality", ["", "ultra", None]),
        ("mesh", [1, "yes", None]),
        ("exports", ["ply", (1,), ("exe",), ("../x",), None]),
        ("views", [1, 0, -3, 2.0, "4", True]),
        ("fps", [0, -1, 61, "2", float("nan"), True]),
        ("seed", [-1, 2**31, "0", None]),
    ],
)
def test_values_without_meaning_are_input_errors(name, values):
    for value in values:
        with pytest.raises(InputError):
            replace(JobSettings(), **{name: value}).validate()


@pytest.mark.parametrize("name", ["input", "out", "weights", "device", "resume", "__class__"])
def test_no_path_and_no_device_can_be_set(name):
    with pytest.raises(InputError, match="no setting"):
        JobSettings.from_json({name: "/etc"})


@pytest.mark.parametrize(
    ("settings", "family", "words"),
    [
        (JobSettings(fps=2.0), "image", "2 frames per second are asked for, but photographs were uploaded"),
        (JobSettings(poses="given"), "image", "only a zip archive can hold them"),
        (JobSettings(poses="given"), "video", "only a zip archive can hold them"),
    ],
)
def test_what_can_only_fail_with_such_files_is_refused(settings, family, words):
    with pytest.raises(InputError, match=words) as found:
        settings.require_fit(family)
    assert "--" not in found.value.hint  # a page has no options of a command


def test_what_can_work_with_such_files_is_taken():
    JobSettings(fps=2.0).require_fit("video")
    JobSettings(fps=2.0, poses="given").require_fit("archive")
    JobSettings(poses="sfm").require_fit("image")
