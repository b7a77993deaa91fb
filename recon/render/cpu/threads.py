"""A thread pool for kernels that release the GIL.

Unlike OpenMP and numba's own layers it may be used from several Python threads at once and in a forked child.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

_pool: ThreadPoolExecutor | None = None
_CHUNKS_PER_THREAD = 6


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_forget_pool)


def _executor() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="rasteriser")
    return _pool


def run_chunks(function: Callable[[int, int], object], total: int, *, chunk: int | None = None) -> None:
    """Call `function(start, stop)` over consecutive pieces of range(total), on `torch.get_num_threads()` threads.

    The calling thread works too, so that the call ends even when all other threads are busy. Which thread takes which
    piece is left open: pieces must not depend on each other.

    Args:
        function: Called once for each piece; its exceptions are raised here.
        total: Number of items.
        chunk: Items of a piece; by default a few pieces per thread.
    """
    num_threads = min(torch.get_num_threads(), total)
    if num_threads <= 1 and chunk is None:
        if total:
            function(0, total)
        return
    size = chunk or max(1, -(-total // (num_threads * _CHUNKS_PER_THREAD)))
    starts = iter(range(0, total, size))  # next() of one iterator is atomic under the GIL

    def work() -> None:
        for start in starts:
            function(start, min(start + size, total))

    helpers = min(num_threads, -(-total // size)) - 1
    futures = [_executor().submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        started = [future for future in futures if not future.cancel()]
        for future in started:
            future.result()
