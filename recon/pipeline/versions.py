"""Versions that a result depends on."""

import platform
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("recon", "torch", "numpy", "numba", "gsplat", "pycolmap", "opencv-python-headless", "pillow", "av")


def library_versions() -> dict[str, str]:
    """Name to version of Python and every library that shapes a result; those not installed are left out."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
