"""What every entry point does with errors and Ctrl-C."""

import os
import signal

import pytest

from app.console import INTERRUPTED, reporting_errors
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
