"""Where mixed precision must not reach."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function outside autocast: geometry in bfloat16 (8 bits of mantissa) is off by whole pixels."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            return function(*args, **kwargs)

    return wrapped


def at_least_float32(x: Tensor) -> Tensor:
    """Half precision widened to float32; float32 and float64 as they are."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def product_dtype(x: Tensor) -> torch.dtype:
    """In which precision matrix products of x are computed here: that of autocast where it is on."""
    device = x.device.type
    if torch.is_autocast_enabled(device) and x.dtype != torch.float64:
        return torch.get_autocast_dtype(device)
    return x.dtype


class Converted:
    """Copies of weights in another precision, kept as long as the weights stay.

    Autocast converts weights that are in use at every call. Where each weight meets few tokens, that takes a good part
    of the time of the products.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[tuple[object, ...], Tensor]] = {}

    def to(self, dtype: torch.dtype, *weights: Tensor) -> list[Tensor]:
        """The weights in that precision; as they are if they have it, or if gradients or versions are not to be had."""
        return [self._one(dtype, place, weight) for place, weight in enumerate(weights)]

    def _one(self, dtype: torch.dtype, place: int, weight: Tensor) -> Tensor:
        if dtype == weight.dtype or weight.is_inference() or (torch.is_grad_enabled() and weight.requires_grad):
            return weight
        state = (dtype, weight.data_ptr(), weight._version, weight.device)
        if place not in self._kept or self._kept[place][0] != state:
            with torch.inference_mode(False):  # a copy outlives the mode that it was asked for in
                self._kept[place] = state, weight.detach().to(dtype)
        return self._kept[place][1]


def bfloat16_where_fast(device: torch.device) -> torch.autocast:
    """Autocast to bfloat16 on devices that compute in it; others would emulate it slowly and stay in float32."""
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)
