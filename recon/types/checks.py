"""The checks that `validate()` of every type is made of."""

import torch
from torch import Tensor

from recon.errors import GeometryError


def require_shape(name: str, value: Tensor, shape: tuple[int | None, ...]) -> None:
    """Raise unless `value` has `shape`; None stands for any length."""
    matches = value.ndim == len(shape) and all(e is None or e == g for e, g in zip(shape, value.shape, strict=True))
    if not matches:
        wanted = "x".join("any" if n is None else str(n) for n in shape)
        found = "x".join(map(str, value.shape)) or "scalar"
        raise GeometryError(f"{name} has shape {found}, expected {wanted}")


def require_finite(name: str, value: Tensor) -> None:
    """Raise if `value` holds NaN or infinity."""
    bad = ~torch.isfinite(value)
    if bad.any():
        rows = bad.reshape(len(value), -1).any(1).nonzero().flatten().tolist()
        raise GeometryError(
            f"{name} holds {int(bad.sum())} values that are NaN or infinite, first at index {rows[0]}",
            hint="remove these entries or repair the file they come from",
        )
