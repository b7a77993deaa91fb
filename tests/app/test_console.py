"""What every entry point does with errors and Ctrl-C."""

import os
import signal
import subprocess
import sys

import pytest

from app.console import INTERRUPTED, UNREAD, reporting_errors
from recon.errors import FormatError


def test_ctrl_c_that_a_library_turned_into_another_error_is_still_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    def import_something() -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("cannot load module more than once per process") from None
        return 0

    assert reporting_errors(import_something, as_json=False) == INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_errors_pass_through_untouched() -> None:
    def break_down() -> int:
        raise ImportError("no such library")

    with pytest.raises(ImportError, match="no such library"):
        reporting_errors(break_down, as_json=False)


def test_typed_errors_have_their_code(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> int:
        raise FormatError("not a picture", hint="take another")

    assert reporting_errors(refuse, as_json=True) == 2
    assert '"hint": "take another"' in capsys.readouterr().err


def unread(*words: str) -> tuple[int, str]:
    """Exit code and stderr of Python where nobody reads what it prints."""
    reader, writer = os.pipe()
    os.close(reader)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run([sys.executable, *words], env=buffered, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    return done.returncode, done.stderr


PRINT = """import sys
from app.console import reporting_errors
from recon.errors import FormatError
def run():
    print("{line}")
    {end}
sys.exit(reporting_errors(run, as_json=False))"""


@pytest.mark.parametrize("line", ["few", "m" * 100_000])
def test_a_reader_who_is_gone_ends_the_command_without_a_word(line: str) -> None:
    """Be it noticed while it prints or, as of a line that waits in the buffer, at its end."""
    code = PRINT.format(line=line, end="return 0")
    assert unread("-c", code) == unread("-u", "-c", code) == (UNREAD, "")


def test_so_it_is_with_help() -> None:
    assert unread("-m", "app.cli", "--help") == (UNREAD, "")


def test_an_error_is_told_also_where_stdout_is_not_read() -> None:
    code = PRINT.format(line="few", end="raise FormatError('not a picture', hint='take another')")
    assert unread("-c", code) == (UNREAD, "error: not a picture\n  hint: take another\n")


def test_another_pipe_that_breaks_is_a_bug_like_others() -> None:
    def break_down() -> int:
        raise BrokenPipeError("a worker is gone")

    with pytest.raises(BrokenPipeError, match="a worker is gone"):
        reporting_errors(break_down, as_json=False)
