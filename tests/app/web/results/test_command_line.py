import shlex
from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

from app.commands import reconstruct
from app.web.jobs.settings import JobSettings
from app.web.results.command_line import command_line

SETTINGS = [
    JobSettings(),
    JobSettings(exports=("ply", "mp4", "transforms")),
    JobSettings("sfm", "best", True, ("glb", "points"), 12, 2.5, 7),
    JobSettings("given", "fast", False, (), None, 0.25, 0),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_command_means_the_same_job(settings):
    words = shlex.split(command_line(settings))
    assert words[:2] == ["recon", "reconstruct"]
    parser = ArgumentParser(exit_on_error=False)
    reconstruct.add_arguments(parser)
    options = reconstruct.options_from(parser.parse_args(words[2:]))
    expected = settings.to_options(Path("photos"), Path("scene"))
    assert (str(options.input), options.out) == ("photos", Path("scene"))
    names = ("poses", "quality", "export", "views", "fps", "seed", "refine", "resolution", "weights", "device")
    assert {name: getattr(options, name) for name in names} == {name: getattr(expected, name) for name in names}


def test_defaults_are_not_repeated_and_the_input_has_the_name_of_its_kind():
    short = JobSettings(exports=("ply", "mp4", "transforms"))
    assert command_line(short) == "recon reconstruct photos -o scene"
    assert command_line(short, "video") == "recon reconstruct video.mp4 -o scene"
    assert command_line(short, "archive") == "recon reconstruct photos.zip -o scene"
