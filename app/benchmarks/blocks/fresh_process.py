"""Functions in processes of their own, in which nothing has run before."""

import multiprocessing.context
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def process_context() -> multiprocessing.context.BaseContext:
    """How new processes begin: forked from one that has imported torch and computed nothing, where that can be."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["app.benchmarks.blocks.layers"])
    return context


def in_fresh_process(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What a function of a module returns when a new process runs it."""
    with ProcessPoolExecutor(1, mp_context=process_context(), initializer=end_with_parent) as pool:
        return pool.submit(function, *args, **kwargs).result()


def end_with_parent() -> None:
    """Make this process end when the one that asked for it is gone, however it went: nobody waits for what it does."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
