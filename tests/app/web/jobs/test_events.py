import math

import pytest

from app.web.jobs.events import (
    MAX_LINE_BYTES,
    Cancelled,
    Done,
    Failed,
    Made,
    Progress,
    Started,
    Waiting,
    failure,
    from_line,
    to_line,
)
from recon.errors import FormatError, LimitError

EVENTS = [
    Waiting(3),
    Started(),
    Progress("poses", 'placing "10"\ncameras ü', 0.25, 12.5),
    Progress("load", "reading"),
    Made("poses", ("preview/points.ply",), {"placed": 9, "failed": {"a.jpg": "blurred"}}),
    Done(("result/scene.json", "result/gaussians.ply"), 12.0),
    Failed("InputError", "found this", "do that"),
    Cancelled(),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_one_line_that_reads_back(event):
    line = to_line(event)
    assert "\n" not in line
    assert from_line(line) == event
    assert from_line(line.encode() + b"\n") == event


def test_numbers_without_meaning_become_none():
    assert from_line(to_line(Progress("load", "reading", math.nan, math.inf))) == Progress("load", "reading")


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "7", '"done"', "{}", '{"event": "job"}', '{"event": "done"}', '{"event": "started", "more": 1}',
     '{"event": ["done"]}', b"\xff\xfe", "[" * 100_000],
)  # fmt: skip
def test_anything_else_is_refused(line):
    with pytest.raises(FormatError, match="not an event"):
        from_line(line)


def test_the_names_of_as_many_photographs_as_are_allowed_fit_into_a_line():
    name = "preview/pictures/" + "写" * 40 + "-200.confidence.jpg"
    views = [{"name": name, "psnr_db": 20.0} | dict.fromkeys("abcd", name)] * 200
    assert len(to_line(Made("pictures", (name,) * 800, {"views": views}))) < MAX_LINE_BYTES


def test_an_error_is_told_with_its_kind():
    assert failure(LimitError("too many", hint="fewer")) == Failed("LimitError", "too many", "fewer")
