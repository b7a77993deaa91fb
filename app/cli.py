"""The command `recon`. Importing this module and `recon --help` import no torch."""

import json
import logging
import sys
import time
from argparse import ArgumentError
from typing import Any

from jsonargparse import ArgumentParser

import recon
from app.commands import doctor, reconstruct, train
from recon.errors import InputError, ReconError

COMMANDS = {"reconstruct": reconstruct, "train": train, "doctor": doctor}
DESCRIPTION = "Feed-forward 3D reconstruction from photographs. Runs without a GPU."
INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


def main(argv: list[str] | None = None) -> int:
    """Run a subcommand and return the exit code.

    0: done. 1 to 7: a `ReconError`, printed to stderr without traceback. 130: interrupted.
    """
    words = sys.argv[1:] if argv is None else argv
    with_json = "--json" in words
    _log_progress()
    try:
        name, arguments = _parse(words)
        return COMMANDS[name].run(arguments)
    except ReconError as error:
        print(_as_json(error) if with_json else f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _parse(words: list[str]) -> tuple[str, Any]:
    """Name of the subcommand, and its arguments with dataclasses in place."""
    chosen = next((word for word in words if not word.startswith("-")), None)
    parser = _parser(chosen)
    try:
        parsed = parser.instantiate(parser.parse_args(words))
    except ArgumentError as error:
        command = f"recon {chosen}" if chosen in COMMANDS else "recon"
        raise InputError(str(error), hint=f"{command} --help shows the options") from error
    return parsed.command, parsed[parsed.command]


def _parser(chosen: str | None) -> ArgumentParser:
    """The parser; only the chosen subcommand gets its arguments, for theirs may need heavy imports."""
    parser = ArgumentParser(
        prog="recon", description=DESCRIPTION, version=recon.__version__, exit_on_error=False, allow_abbrev=False
    )
    subcommands = parser.add_subcommands(dest="command", required=True)
    for name, command in COMMANDS.items():
        subparser = ArgumentParser(description=command.HELP, exit_on_error=False, allow_abbrev=False)
        if name == chosen:
            command.add_arguments(subparser)
        subcommands.add_subcommand(name, subparser, help=command.HELP)
    return parser


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


def _log_progress() -> None:
    """Send what the packages log to stderr, once."""
    handler = logging.StreamHandler()
    handler.setFormatter(_SecondsFormatter())
    for name in ("recon", "models", "app"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False


if __name__ == "__main__":
    sys.exit(main())
