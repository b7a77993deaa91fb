import pytest

from app.cli import main
from app.web.limits import WebLimits
from recon.errors import InputError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_workers", 0),
        ("num_workers", -1),
        ("num_workers", 1000),
        ("num_workers", 1.0),
        ("max_waiting", -1),
        ("max_upload_bytes", 0),
        ("max_job_seconds", 0.0),
        ("max_job_seconds", float("inf")),
        ("max_check_seconds", -1.0),
        ("time_to_live_seconds", 0.0),
        ("time_to_live_seconds", float("nan")),
        ("time_to_live_seconds", 1e12),
    ],
)
def test_numbers_without_meaning_are_refused(name, value):
    with pytest.raises(InputError, match=r"expected (at least )?(more than )?\d"):
        WebLimits(**{name: value})


def test_the_ends_of_the_ranges_are_taken():
    limits = WebLimits(num_workers=64, max_waiting=0, time_to_live_seconds=0.1)
    assert (limits.num_workers, limits.max_waiting) == (64, 0)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--workers", "0", "jobs at the same time: 0, expected 1 to 64"),
        ("--queue", "-1", "jobs that may wait: -1, expected 0 to 10,000"),
        ("--keep-hours", "0", "results are kept for 0.0 s, expected more than 0 s"),
    ],
)
def test_the_command_says_what_its_options_take(option, value, words, capsys):
    assert main(["app", f"{option}={value}", "--no-browser", "--port=0"]) == 2
    assert words in capsys.readouterr().err
