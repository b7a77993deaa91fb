"""How the kernels are compiled and where the machine code is kept.

Numba's own cache notices a change of the file that holds a kernel, not of the files whose functions the kernel calls.
The cache folder is therefore named after a hash of all sources of this package.
"""

import hashlib
import inspect
import logging
import os
from collections.abc import Callable
from pathlib import Path

import numba
from numba.core import config as numba_config

_CACHE_SETTING = "CACHE_DIR"  # numba's name of NUMBA_CACHE_DIR

logger = logging.getLogger(__name__)

# No "ninf": infinities are compared with. No "nnan" where non-finite Gaussians are looked for.
FAST = {"nnan", "nsz", "arcp", "contract", "afn", "reassoc"}
FAST_WITH_NAN = FAST - {"nnan"}


def _source_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_directory() -> Path:
    """Folder of the compiled kernels: below NUMBA_CACHE_DIR if set, else below the user's cache folder."""
    base = getattr(numba_config, _CACHE_SETTING)
    if not base:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recon" / "kernels"
    return Path(base) / _source_hash()


_CACHE_DIRECTORY = cache_directory()


def kernel(*, fastmath: set[str] = FAST) -> Callable[[Callable], Callable]:
    """Decorator: compile for the types of the first call, release the GIL while running, keep the code on disk.

    Where no cache folder can be written the kernels are compiled anew by each process (about ten seconds), which is
    logged.
    """

    def compile_lazily(function: Callable) -> Callable:
        function = inspect.unwrap(function)  # a type checker may have wrapped it
        options = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
        outer = getattr(numba_config, _CACHE_SETTING)
        setattr(numba_config, _CACHE_SETTING, str(_CACHE_DIRECTORY))
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError as error:  # numba's "no locator available": neither folder is writable
            logger.warning("rasteriser kernels are compiled anew by each process (%s); set NUMBA_CACHE_DIR", error)
            return numba.njit(**options)(function)
        finally:
            setattr(numba_config, _CACHE_SETTING, outer)

    return compile_lazily


def inlined(function: Callable) -> Callable:
    """Decorator for the small functions that kernels call; they may not allocate.

    Without numba's runtime (`_nrt`) arrays that are passed around are not counted. Counting took a third of the time.
    """
    options = {"nogil": True, "error_model": "numpy", "fastmath": FAST, "forceinline": True, "_nrt": False}
    return numba.njit(**options)(inspect.unwrap(function))


def allocating(function: Callable) -> Callable:
    """Decorator for functions that kernels call once to allocate arrays."""
    return numba.njit(nogil=True, error_model="numpy")(inspect.unwrap(function))
