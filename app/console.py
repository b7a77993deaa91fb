"""What every entry point does: parse, log to stderr, report errors without traceback."""

import json
import logging
import os
import signal
import sys
import threading
import time
from argparse import ArgumentError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from recon.errors import InputError, ReconError

REQUIRED = "arguments are required: "
"""Between the words of jsonargparse and the names of what is missing."""
INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""
UNREAD = 141
"""128 + SIGPIPE, as shells report it."""


def parse(parser: ArgumentParser, words: list[str], program: str) -> Namespace:
    """Arguments with dataclasses in place.

    Args:
        parser: Made with `exit_on_error=False`.
        words: The command line without the name of the program.
        program: How a person calls it, for the hint.

    Raises:
        InputError: The words do not fit.
    """
    try:
        return parser.instantiate(parser.parse_args(words))
    except ArgumentError as error:
        before, required, names = str(error).partition(REQUIRED)
        typed = ", ".join(_as_typed(parser, name) for name in names.split(", ")) if required else ""
        raise InputError(before + required + typed, hint=f"{program} --help shows the options") from error


def _as_typed(parser: Any, name: str) -> str:
    """An argument as a person types it: `weights.convert.out` is `--out` in `recon weights convert`."""
    for action in parser._actions:
        if action.dest == name:
            return action.option_strings[-1] if action.option_strings else name
        subcommand, _, rest = name.partition(".")
        if isinstance(action.choices, dict) and subcommand in action.choices:  # parsers of subcommands
            return _as_typed(action.choices[subcommand], rest)
    return name


def reporting_errors(run: Callable[[], int], *, as_json: bool) -> int:
    """The exit code of `run`; a ReconError or Ctrl-C becomes one message on stderr and its own code.

    Where the reader of stdout is gone, as in `recon ... | head -1`, the code is `UNREAD` and there is no message.
    """
    try:
        try:
            return _reporting_errors(run, as_json)
        finally:
            print(end="", flush=True)  # when Python ends it would be too late to catch what this raises
    except BrokenPipeError:
        if _stdout_is_read():  # then another pipe broke
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python flushes when it ends
        return UNREAD


def _reporting_errors(run: Callable[[], int], as_json: bool) -> int:
    with _noting_interrupts() as interrupts:
        try:
            return run()
        except KeyboardInterrupt:
            return _report_interrupt()
        except Exception as error:
            if interrupts:  # libraries that are being imported turn Ctrl-C into other errors
                return _report_interrupt()
            if not isinstance(error, ReconError):
                raise
            print(_as_json(error) if as_json else f"error: {error}", file=sys.stderr)
            return error.exit_code


def _stdout_is_read() -> bool:
    try:
        print(flush=True)
    except BrokenPipeError:
        return False
    return True


def _report_interrupt() -> int:
    print("interrupted", file=sys.stderr)
    return INTERRUPTED


@contextmanager
def _noting_interrupts() -> Iterator[list[int]]:
    """Give a list that is empty until Ctrl-C; what Ctrl-C does stays as it was."""
    usual = signal.getsignal(signal.SIGINT)
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield noted
        return

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        usual(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, usual)


def json_line(content: Any) -> str:
    """JSON on one line; NaN and infinity, for which JSON has no word, stand as null."""
    from recon.io.json_file import plain

    return json.dumps(plain(content), allow_nan=False)


def _as_json(error: ReconError) -> str:
    return json.dumps({"error": type(error).__name__, "message": error.message, "hint": error.hint})


class _SecondsFormatter(logging.Formatter):
    """Seconds since the start, and warnings marked as such."""

    def __init__(self) -> None:
        super().__init__()
        self.start = time.monotonic()

    def format(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        return f"[{time.monotonic() - self.start:6.1f} s] {level}{record.getMessage()}"


def log_to_stderr() -> None:
    """Send what the packages log to stderr; called again, it takes the stderr of that moment."""
    handler = logging.StreamHandler()
    handler.setFormatter(_SecondsFormatter())
    for name in ("recon", "models", "app"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
