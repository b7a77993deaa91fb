"""How much memory a layer takes on top of itself and its input; measured in a process that has done nothing else."""

import ctypes
import os
import re
import sys
from contextlib import nullcontext
from pathlib import Path

import psutil
import torch

from app.benchmarks.blocks.layers import SUBJECTS, Scale, build, keywords, tokens
from app.benchmarks.blocks.timing import Direction, forward_backward
from models.layers.contracts import Layout

SMALL = Layout(views=2, height=2, width=2)


def peak_memory(name: str, scale: Scale, direction: Direction) -> int:
    """Bytes resident at the peak of one float32 pass on one thread, less those before it.

    The layer has run once on a few tokens before, so that code that is loaded on first use does not count.
    """
    torch.set_num_threads(1)
    subject = SUBJECTS[name]
    layer = build(subject, scale, form="eval" if direction == "forward" else "train")
    small = Scale(scale.dim, scale.head_dim, SMALL)
    for size in (small, scale):
        told, x = keywords(subject, size.layout), tokens(size)
        before = _forget_peak()
        if direction == "forward":
            with torch.no_grad():
                layer(x, **told)
        else:
            forward_backward(layer, x, told, nullcontext())
    return max(0, _peak() - before)


def _forget_peak() -> int:
    """Give freed memory back to the system and let the peak begin here; bytes resident now.

    Only Linux can do that. Elsewhere what was needed to draw the first numbers of a layer may count to its peak.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    return psutil.Process().memory_info().rss


def _peak() -> int:
    if sys.platform == "linux":
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return int(found[1]) * 1024 if found else 0
    if os.name == "nt":
        return psutil.Process().memory_info().peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
