"""`scripts/check_parity`: print the largest error of every tensor; exit code 1 on a miss."""

import sys
from pathlib import Path

from jsonargparse import ArgumentParser

from app.console import log_to_stderr, parse, reporting_errors

PROGRAM = "scripts/check_parity"
DESCRIPTION = "Compare networks and rasterisers with recorded numbers of the reference implementations."


def main(argv: list[str] | None = None) -> int:
    """Check all fixtures and return the exit code."""
    words = sys.argv[1:] if argv is None else argv
    log_to_stderr()
    return reporting_errors(lambda: _run(words), as_json=False)


def _run(words: list[str]) -> int:
    parser = ArgumentParser(prog=PROGRAM, description=DESCRIPTION, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("folders", nargs="+", metavar="DIR", help="Fixtures, or folders that hold fixtures.")
    arguments = parse(parser, words, PROGRAM)
    from app.parity.fixtures import check_fixture, find_fixtures

    num_missed = 0
    for folder in find_fixtures([Path(name) for name in arguments.folders]):
        print(folder)
        for entry in check_fixture(folder):
            verdict = "ok" if entry.ok else "MISS"
            print(f"  {verdict:<4}  {entry.name:<28} {entry.error:.2e}  (at most {entry.tolerance:.0e})")
            num_missed += not entry.ok
    print(f"{num_missed} tensors missed" if num_missed else "all tensors agree")
    return 1 if num_missed else 0


if __name__ == "__main__":
    sys.exit(main())
