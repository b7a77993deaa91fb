"""The command `recon`. Importing this module and `recon --help` import no torch."""

import os
import sys

from jsonargparse import ArgumentParser

import recon
from app.commands import app as app_page
from app.commands import convert, diagnose, doctor, evaluate, info, reconstruct, render, train, view, weights
from app.console import log_to_stderr, parse, reporting_errors

COMMANDS = {
    "reconstruct": reconstruct,
    "render": render,
    "view": view,
    "app": app_page,
    "convert": convert,
    "info": info,
    "train": train,
    "eval": evaluate,
    "weights": weights,
    "diagnose": diagnose,
    "doctor": doctor,
}
WAITING_THREADS = ("OMP_WAIT_POLICY", "passive")
"""For torch, which is not loaded yet. Threads that wait by spinning, as they would, take the cores of other programs
and of other jobs: with one beside it, a forward pass of iLRM-nano took 10 to 12 s instead of 1.6 to 2.1 s."""
DESCRIPTION = "Feed-forward 3D reconstruction from photographs. Runs without a GPU."


def main(argv: list[str] | None = None) -> int:
    """Run a subcommand and return the exit code.

    0: done. 1 to 7: a `ReconError`, printed to stderr without traceback. 130: interrupted. 141: stdout is not read.
    """
    words = sys.argv[1:] if argv is None else argv
    os.environ.setdefault(*WAITING_THREADS)
    log_to_stderr()
    return reporting_errors(lambda: _run(words), as_json="--json" in words)


def _run(words: list[str]) -> int:
    chosen = next((word for word in words if not word.startswith("-")), None)
    program = f"recon {chosen}" if chosen in COMMANDS else "recon"
    parsed = parse(_parser(chosen), words, program)
    return COMMANDS[parsed.command].run(parsed[parsed.command])


def _parser(chosen: str | None) -> ArgumentParser:
    """The parser; only the chosen subcommand gets its arguments, for theirs may need heavy imports."""
    parser = ArgumentParser(
        prog="recon", description=DESCRIPTION, version=recon.__version__, exit_on_error=False, allow_abbrev=False
    )
    subcommands = parser.add_subcommands(dest="command", required=True)
    for name, command in COMMANDS.items():
        subparser = ArgumentParser(description=command.HELP, exit_on_error=False, allow_abbrev=False)
        subcommands.add_subcommand(name, subparser, help=command.HELP)
        if name == chosen:
            command.add_arguments(subparser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
