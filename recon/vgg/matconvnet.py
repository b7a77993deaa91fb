"""VGG networks as MatConvNet published them (`imagenet-vgg-verydeep-19.mat`): a MATLAB file of version 5.

The format is described in MathWorks' "MAT-File Format". Its elements may be compressed; how much they unpack to is
counted before SciPy reads them.
"""

import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from scipy.io import loadmat
from torch import Tensor

from recon.errors import CheckpointError
from recon.io.limits import GIBIBYTE, MEBIBYTE
from recon.vgg.network import VGGFeatures, VGGLayout

MAX_UNPACKED_BYTES = 1 * GIBIBYTE
HEADER_BYTES = 128
COMPRESSED = 15


def read_matconvnet(path: Path, layout: VGGLayout, *, max_bytes: int = MAX_UNPACKED_BYTES) -> VGGFeatures:
    """A network whose weights expect colours of 0..255 less their mean.

    Args:
        path: The file as MatConvNet published it: `layers`, each with a `type` and, if it is a convolution, `weights`
            (height, width, in, out) and biases.
        layout: Which convolutions there are; the first of the file must have these shapes.
        max_bytes: What the file may be, and unpack to.

    Raises:
        CheckpointError: The file is missing, too large, or does not hold these weights.
    """
    _require_size(path, max_bytes)
    try:
        layers = loadmat(path, variable_names=["layers"], simplify_cells=True)["layers"]
        convolutions = [layer["weights"] for layer in layers if layer["type"] == "conv"]
    except Exception as error:  # damaged files raise whatever SciPy stumbles over
        raise CheckpointError(f"{path}: not a MatConvNet network ({type(error).__name__}: {error})") from error
    names = [name for block in layout.names for name in block]
    if len(convolutions) < len(names):
        raise CheckpointError(f"{path}: {len(convolutions)} convolutions, expected at least {len(names)}")
    tensors: dict[str, Tensor] = {}
    for name, weights in zip(names, convolutions, strict=False):
        tensors |= _tensors(path, name, weights, layout.shapes[f"{name}.weight"])
    return VGGFeatures(layout, tensors)


def _tensors(path: Path, name: str, weights: Any, shape: tuple[int, ...]) -> dict[str, Tensor]:
    arrays = [np.asarray(part) for part in weights] if len(weights) == 2 else []
    if [array.dtype.kind for array in arrays] != ["f", "f"]:
        raise CheckpointError(f"{path}: the layer for {name} has no pair of weights and biases")
    stored, bias = torch.tensor(arrays[0]), torch.tensor(arrays[1]).flatten()
    expected = (*shape[2:], shape[1], shape[0])
    if tuple(stored.shape) != expected or len(bias) != shape[0]:
        raise CheckpointError(
            f"{path}: the layer for {name} has weights {list(stored.shape)} and {len(bias)} biases, expected "
            f"{list(expected)}"
        )
    kernel = stored.permute(3, 2, 0, 1)
    if not (kernel.isfinite().all() and bias.isfinite().all()):
        raise CheckpointError(f"{path}: the layer for {name} has weights that are not finite")
    return {f"{name}.weight": kernel.float().contiguous(), f"{name}.bias": bias.float()}


def _require_size(path: Path, max_bytes: int) -> None:
    """Walk over the elements of the file, unpacking them into nothing."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size > max_bytes:
                raise CheckpointError(f"{path}: {size:,} bytes, expected at most {max_bytes:,}")
            file.seek(0)
            header = file.read(HEADER_BYTES)
            if len(header) < HEADER_BYTES or header[124:128] != b"\x00\x01IM":
                raise CheckpointError(
                    f"{path}: not a little-endian MATLAB file of version 5",
                    hint="give imagenet-vgg-verydeep-19.mat as MatConvNet published it",
                )
            left = max_bytes
            while left >= 0 and len(tag := file.read(8)) == 8:
                kind, length = struct.unpack("<II", tag)
                end = file.tell() + length
                left -= _unpacked(file, length, left) if kind == COMPRESSED else length
                file.seek(end)
    except (OSError, ValueError, zlib.error) as error:
        raise CheckpointError(f"{path}: the file cannot be read ({error})") from error
    if left < 0:
        raise CheckpointError(f"{path}: unpacks to more than {max_bytes:,} bytes")


def _unpacked(file: BinaryIO, length: int, most: int) -> int:
    """Bytes that `length` compressed bytes unpack to, counted up to the first step beyond `most`."""
    decompressor, total = zlib.decompressobj(), 0
    while length > 0 and total <= most and (data := file.read(min(length, MEBIBYTE))):
        length -= len(data)
        while data and total <= most:
            total += len(decompressor.decompress(data, MEBIBYTE))
            data = decompressor.unconsumed_tail
    return total
