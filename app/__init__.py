"""What people touch: the command line and the public call `reconstruct`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.composition import reconstruct

__all__ = ["reconstruct"]


def __getattr__(name: str) -> Any:
    """Import `reconstruct`, and torch with it, at first use, so that `recon --help` stays quick."""
    if name != "reconstruct":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from app.composition import reconstruct

    globals()[name] = reconstruct
    return reconstruct
