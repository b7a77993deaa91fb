"""On what a benchmark ran, and whether others used the machine meanwhile."""

import os
import platform
import time
from pathlib import Path
from typing import Any

import psutil
import torch

MOST_LOAD = 1.5
"""Processes that want to run, above which figures are not called quiet."""
MOST_USED_BY_OTHERS = 0.25
"""Cores that others used while the benchmark ran, on average."""


def facts() -> dict[str, Any]:
    """CPU, versions, load."""
    return {
        "cpu": cpu_model(),
        "cores": psutil.cpu_count() or 0,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "load_average": load(),
    }


def cpu_model() -> str:
    """As the CPU calls itself."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def load() -> float:
    """Processes that wanted to run, mean over the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


class Others:
    """Watches from its making on how many cores other processes use; this process must be the one that computes."""

    def __init__(self) -> None:
        self._wall, self._own, self._busy = time.perf_counter(), time.process_time(), _busy_seconds()

    def cores(self) -> float:
        """Mean so far."""
        wall, own = time.perf_counter() - self._wall, time.process_time() - self._own
        return max(0.0, (_busy_seconds() - self._busy - own) / max(wall, 1e-9))


def verdict(load_before: float, used_by_others: float) -> dict[str, Any]:
    """Whether figures may be called quiet, and why not.

    Args:
        load_before: `load` before the benchmark began; what it adds itself does not count.
        used_by_others: Cores.
    """
    reasons = []
    if not load_before <= MOST_LOAD:
        reasons.append(f"the load average was {load_before:.1f} at the start, more than {MOST_LOAD}")
    if used_by_others > MOST_USED_BY_OTHERS:
        reasons.append(f"other processes used {used_by_others:.2f} cores meanwhile")
    said = "quiet machine" if not reasons else f"NOT a quiet machine: {'; '.join(reasons)}"
    return {"quiet": not reasons, "said": said}


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
