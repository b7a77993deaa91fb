"""Fuzz every reader, two at a time, and print a table; called by scripts/fuzz."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from fuzzing import HERE, harness_names

SEED = 1
MAX_INPUT_BYTES = 64 * 1024
MAX_SECONDS_PER_INPUT = 10
MAX_RSS_MB = 2048
GRACE_SECONDS = 60
"""For imports and the last input, beyond the time asked for."""


class Outcome(NamedTuple):
    """What fuzzing one reader came to; `edges` counts the branches of our code that were reached."""

    name: str
    executions: int
    edges: int
    peak_rss_mb: int
    seconds: float
    crashes: int
    log: str

    @property
    def row(self) -> tuple[str, ...]:
        """For the table."""
        rate = self.executions / max(self.seconds, 1e-9)
        figures = (
            f"{self.executions:,}",
            f"{rate:,.0f}",
            f"{self.edges:,}",
            str(self.crashes),
            f"{self.peak_rss_mb:,}",
        )
        return (self.name, *figures, f"{self.seconds:.0f}")


HEADINGS = ("reader", "executions", "per second", "edges", "crashes", "peak RSS MB", "seconds")


def fuzz(name: str, seconds: int, kept: Path) -> Outcome:
    """Fuzz one reader in a process of its own; inputs that crash it go into the folder `kept`."""
    with tempfile.TemporaryDirectory(prefix="recon_fuzz_corpus_") as folder:
        command = [
            sys.executable, str(HERE / "run_one.py"), name, folder, f"-seed={SEED}", f"-max_total_time={seconds}",
            f"-max_len={MAX_INPUT_BYTES}", f"-timeout={MAX_SECONDS_PER_INPUT}", f"-rss_limit_mb={MAX_RSS_MB}",
            f"-artifact_prefix={folder}/found-", "-print_final_stats=1", "-len_control=20",
        ]  # fmt: skip
        start = time.monotonic()
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                timeout=seconds + GRACE_SECONDS, env=os.environ | {"OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            code, said = done.returncode, done.stdout
        except subprocess.TimeoutExpired as error:
            code, said = 1, (error.stdout or b"") + b"\nhung beyond its time"
        elapsed = time.monotonic() - start
        found = sorted(Path(folder).glob("found-*"))
        for path in found:
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, kept / f"{name}-{path.name.removeprefix('found-')}")
    log = said.decode("utf-8", "replace")
    crashes = max(len(found), int(code != 0))
    executions, peak = (_last(log, rf"stat::{stat}:\s*(\d+)") for stat in ("number_of_executed_units", "peak_rss_mb"))
    return Outcome(name, executions, _last(log, r"cov: (\d+)"), peak, elapsed, crashes, log)


def _last(log: str, pattern: str) -> int:
    """The last number that fits."""
    return int((re.findall(pattern, log) or ["0"])[-1])


def table(outcomes: list[Outcome]) -> str:
    """Outcomes in columns, names to the left, figures to the right."""
    rows = [HEADINGS, *(outcome.row for outcome in outcomes)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )


def main(words: list[str]) -> int:
    """Parse, fuzz, report; 1 when an input made a reader fail."""
    names = harness_names()
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description="Fuzz the readers with atheris.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"readers: {', '.join(names)}; default all")
    parser.add_argument("--seconds", type=int, default=120, help="for each reader (120)")
    parser.add_argument("--jobs", type=int, default=2, help="readers at the same time (2)")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"), help="folder for inputs that crash a reader")
    asked = parser.parse_args(words)
    if unknown := set(asked.names) - set(names):
        parser.error(f"no reader {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    with ThreadPoolExecutor(asked.jobs) as pool:
        outcomes = list(pool.map(lambda name: fuzz(name, asked.seconds, asked.keep), asked.names or names))
    for outcome in outcomes:
        if outcome.crashes:
            sys.stderr.write(f"{outcome.name}\n{outcome.log[-4000:]}\n\n")
    sys.stdout.write(table(outcomes) + "\n")
    idle = [outcome.name for outcome in outcomes if not outcome.executions and not outcome.crashes]
    if idle:
        sys.stderr.write(f"never ran: {', '.join(idle)}\n")
    crashed = any(outcome.crashes for outcome in outcomes)
    if crashed:
        sys.stderr.write(f"inputs that crashed a reader are in {asked.keep}\n")
    return int(crashed or bool(idle))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
