"""How the inner loops are compiled."""

import inspect
from collections.abc import Callable

import numba

# No "nnan" and "ninf": rays that hit nothing have infinite distances.
FASTMATH = {"nsz", "arcp", "contract", "afn", "reassoc"}


def compiled(function: Callable) -> Callable:
    """Decorator: compile at the first call and keep the machine code on disk.

    Type checkers that wrap functions are unwrapped first, for compiled code cannot call them.
    """
    return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)(inspect.unwrap(function))
