"""Libraries that nothing works without."""

import importlib
from dataclasses import dataclass

from app.doctor.shared_libraries import package_of

REQUIRED = (
    *("numpy", "torch", "numba", "scipy", "skimage", "cv2", "PIL", "av", "pycolmap", "safetensors", "einops"),
    *("jaxtyping", "jsonargparse", "yaml", "psutil"),
)


@dataclass(frozen=True)
class BrokenImport:
    """A required library that cannot be imported.

    Attributes:
        module: Name.
        reason: What Python said.
        advice: What to do.
    """

    module: str
    reason: str
    advice: str


def broken_imports() -> list[BrokenImport]:
    """Import each of the required libraries; those that fail, with what to do."""
    broken = []
    for module in REQUIRED:
        try:
            importlib.import_module(module)
        except Exception as error:  # a damaged library raises anything while it is imported
            package = package_of(str(error))
            advice = f"apt-get install {package}" if package else "install again: pip install -e . -c constraints.txt"
            broken.append(BrokenImport(module, f"{type(error).__name__}: {error}", advice))
    return broken
