"""Our files against programs of other people."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_INSTALLED = 3


@pytest.mark.slow
def test_other_programs_read_our_files() -> None:
    done = subprocess.run([ROOT / "scripts" / "check_formats"], capture_output=True, text=True, check=False)
    if done.returncode == NOT_INSTALLED:
        pytest.skip(f"the other programs cannot be installed here: {done.stderr.strip()[-200:]}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row for row in rows if not row["passed"]] == []
    assert done.returncode == 0, done.stderr
    assert len(rows) == 4 * 5
    for row in rows:
        assert (row["validator_errors"], row["not_finite"]) == (0, 0)
        assert row["psnr"] >= (45 if row["way"].startswith(".spz") else 50), row
