"""Keeping COLMAP's running commentary out of the output."""

from collections.abc import Iterator
from contextlib import contextmanager

import pycolmap

# pycolmap logs to stderr through glog: 0 info, 1 warnings, 2 errors, 3 fatal. "No model found" is an error there and
# an answer here, which the caller reports in words.
_FATAL_ONLY = 3


@contextmanager
def quiet_colmap() -> Iterator[None]:
    """Only fatal messages of COLMAP reach stderr inside the block.

    The level is set at each entry because other extensions that carry glog reset it when they are imported.
    """
    before = pycolmap.logging.minloglevel
    pycolmap.logging.minloglevel = _FATAL_ONLY
    try:
        yield
    finally:
        pycolmap.logging.minloglevel = before
