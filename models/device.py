"""Which device computes."""

import torch

from recon.errors import InputError, ResourceError


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" takes CUDA where there is one.

    Args:
        name: "auto", "cpu", "cuda", or "cuda:1" for one of several.

    Raises:
        InputError: There is no such kind of device.
        ResourceError: This machine has no such device.
    """
    num_cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if num_cuda else "cpu")
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (":" in name and not (number.isdecimal() and number.isascii())):
        raise InputError(f"device is {name[:40]!r}, expected auto, cpu, cuda or cuda:N", hint="use --device auto")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= num_cuda:
        there = f"it has cuda:0 to cuda:{num_cuda - 1}" if num_cuda else "it has no CUDA"
        raise ResourceError(f"device {name!r} is not on this machine; {there}", hint="use --device auto")
    return device
