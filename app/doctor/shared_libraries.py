"""Shared libraries that wheels leave to the system, and the packages of Debian and Ubuntu that hold them."""

import ctypes
import re

PACKAGES = {
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libgomp.so.1": "libgomp1",
    "libudev.so.1": "libudev1",
    "libstdc++.so.6": "libstdc++6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
}


def loads(library: str) -> bool:
    """Whether the system finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def package_of(message: str) -> str | None:
    """The Debian package of the library that a message of the dynamic loader misses, if it is one that we know."""
    found = re.search(r"(lib[\w+.-]+\.so[.\d]*): cannot open shared object file", message)
    return PACKAGES.get(found[1]) if found else None
