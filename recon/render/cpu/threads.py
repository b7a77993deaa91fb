"""A thread pool for kernels that release the GIL.

Unlike OpenMP and numba's own layers it may be used from several Python threads at once and in a forked child.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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


def run_chunks(function: Callable[..., object], total: int, *arguments: Any, chunk: int | None = None) -> None:
    """Call `function(start, stop, *arguments)` over consecutive pieces of range(total).

    It takes `torch.get_num_threads()` threads. The calling one works too, so that the call ends even when all others
    are busy. Which thread takes which piece is left open: pieces must not depend on each other.

    Args:
        function: Called once for each piece; its exceptions are raised here.
        total: Number of items.
        arguments: Passed on to every call.
        chunk: Items of a piece; by default a few pieces per thread.
    """
    num_threads = min(torch.get_num_threads(), total)
    if num_threads <= 1 and chunk is None:
        if total:
            function(0, total, *arguments)
        return
    size = chunk or max(1, -(-total // (num_threads * _CHUNKS_PER_THREAD)))
    pieces = iter([(start, min(start + size, total)) for start in range(0, total, size)])
    helpers = min(num_threads, -(-total // size)) - 1
    futures = [_executor().submit(_work, pieces, function, arguments) for _ in range(helpers)]
    try:
        _work(pieces, function, arguments)
    finally:
        started = [future for future in futures if not future.cancel()]
        for future in started:
            future.result()


def _work(pieces: Iterator[tuple[int, int]], function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """Take pieces while there are some; next() of one iterator is atomic under the GIL."""
    for start, stop in pieces:
        function(start, stop, *arguments)
