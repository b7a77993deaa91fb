"""Compiled kernels are kept between processes, also where the package cannot be written to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recon.render.cpu import jit

ROOT = Path(jit.__file__).parents[3]

PROGRAM = """
import numpy as np
from recon.render.cpu.binning import place_lists
place_lists(1, np.zeros((1, 1), np.int32), np.zeros(2, np.int64), np.zeros(2, np.int64))
print(sum(place_lists.stats.cache_hits.values()), sum(place_lists.stats.cache_misses.values()))
"""


def _hits_and_misses(**environment: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=os.environ | environment, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    hits, misses = done.stdout.split()
    return int(hits), int(misses)


def test_the_second_process_finds_what_the_first_compiled(tmp_path):
    assert _hits_and_misses(NUMBA_CACHE_DIR=str(tmp_path)) == (0, 1)
    assert _hits_and_misses(NUMBA_CACHE_DIR=str(tmp_path)) == (1, 0)


def test_the_cache_lies_in_the_users_folder_not_in_the_package(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(jit.numba_config, "CACHE_DIR", "")
    assert tmp_path in jit.cache_directory().parents


def test_without_any_cache_folder_kernels_still_compile(monkeypatch, caplog):
    def refuse(*args, **kwargs):
        if kwargs.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(*args, **kwargs)

    real = jit.numba.njit
    monkeypatch.setattr(jit.numba, "njit", refuse)
    double = jit.kernel()(lambda x: x + x)
    assert double(2) == 4
    assert "NUMBA_CACHE_DIR" in caplog.text


def test_the_cache_is_named_after_the_sources(monkeypatch, tmp_path):
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    (tmp_path / "jit.py").write_text("first")
    before = jit.cache_directory()
    (tmp_path / "exp2.py").write_text("changed")
    assert jit.cache_directory() != before


@pytest.mark.parametrize("chosen", ["somewhere"])
def test_numbas_own_setting_is_left_as_it_was(monkeypatch, chosen, tmp_path):
    monkeypatch.setattr(jit.numba_config, "CACHE_DIR", chosen)
    monkeypatch.setattr(jit, "_CACHE_DIRECTORY", tmp_path)
    jit.kernel()(lambda x: x)
    assert chosen == jit.numba_config.CACHE_DIR
