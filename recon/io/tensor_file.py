"""Weights of published networks, from files that people name: exactly the tensors that are expected."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from recon.errors import CheckpointError, FormatError
from recon.io.limits import GIBIBYTE
from recon.io.torch_file import require_no_more_than_on_disk

MAX_TENSOR_FILE_BYTES = 4 * GIBIBYTE
TORCH_SUFFIXES = (".pth", ".pt", ".ckpt")


def read_tensors(
    path: Path,
    expected: Mapping[str, tuple[int, ...]],
    *,
    ignored: str = r"(?!)",
    max_bytes: int = MAX_TENSOR_FILE_BYTES,
) -> dict[str, Tensor]:
    """Read named tensors as float32 on the CPU.

    Args:
        path: `.safetensors`, or a state dict saved by torch (`.pth`, `.pt`, `.ckpt`), of which torch's restricted
            unpickler reads tensors and plain containers only.
        expected: Name and shape of every tensor that is wanted.
        ignored: Regular expression of whole names that may be there as well. Nothing else may.
        max_bytes: Size of the file.

    Raises:
        CheckpointError: The file cannot be read, is too large, holds something else than tensors, lacks one, has one
            too many, or one of another shape, of whole numbers, or with values that are not finite.
    """
    _require_size(path, max_bytes)
    if path.suffix == ".safetensors":
        tensors = _read_safetensors(path, expected, ignored)
    elif path.suffix in TORCH_SUFFIXES:
        tensors = _read_torch(path, expected, ignored)
    else:
        raise CheckpointError(
            f"{path}: a file of weights named *{path.suffix}, expected .safetensors or {', '.join(TORCH_SUFFIXES)}"
        )
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or not tensor.isfinite().all():
            raise CheckpointError(f"{path}: {name} holds {tensor.dtype}, expected finite floating-point numbers")
    return {name: tensor.float() for name, tensor in tensors.items()}


def _require_size(path: Path, max_bytes: int) -> None:
    try:
        size = path.stat().st_size if path.is_file() else None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: the file cannot be read ({error})") from error
    if size is None:
        raise CheckpointError(f"{path}: no such file of weights", hint="say where your copy of the file is")
    if size > max_bytes:
        raise CheckpointError(f"{path}: {size:,} bytes, expected at most {max_bytes:,}")


def _read_safetensors(path: Path, expected: Mapping[str, tuple[int, ...]], ignored: str) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as stored:
            shapes = {name: tuple(stored.get_slice(name).get_shape()) for name in stored.keys()}  # noqa: SIM118
            require_shapes(path, shapes, expected, ignored)
            return {name: stored.get_tensor(name) for name in expected}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a safetensors file ({error})") from error


def _read_torch(path: Path, expected: Mapping[str, tuple[int, ...]], ignored: str) -> dict[str, Tensor]:
    try:
        require_no_more_than_on_disk(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FormatError as error:
        raise CheckpointError(error.message, hint=error.hint) from error
    except Exception as error:  # damaged files raise whatever the unpickler stumbles over
        reason = (str(error).splitlines() or [""])[0]
        raise CheckpointError(
            f"{path}: not a file of tensors that torch reads with weights_only ({type(error).__name__}: {reason})"
        ) from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}, expected a state dict")
    for name, value in content.items():
        if not isinstance(value, Tensor) or value.layout != torch.strided:
            raise CheckpointError(f"{path}: {name} is a {type(value).__name__}, expected a dense tensor")
    require_shapes(path, {name: tuple(value.shape) for name, value in content.items()}, expected, ignored)
    return {name: content[name].detach() for name in expected}


def require_shapes(
    path: Path,
    found: Mapping[str, tuple[int, ...]],
    expected: Mapping[str, tuple[int, ...]],
    ignored: str = r"(?!)",
) -> None:
    """Raise unless a file holds exactly the expected tensors.

    Args:
        path: For the message.
        found: Name and shape of every tensor of the file.
        expected: Name and shape of every tensor that is wanted.
        ignored: Regular expression of whole names that may be there as well.

    Raises:
        CheckpointError: A tensor is missing, one too many, or of another shape.
    """
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected and not re.fullmatch(ignored, name)]
    if missing or extra:
        raise CheckpointError(
            f"{path}: missing {_listed(missing)}, unexpected {_listed(extra)}",
            hint="give the file as it was published",
        )
    for name, shape in expected.items():
        if found[name] != shape:
            raise CheckpointError(f"{path}: {name} has shape {list(found[name])}, expected {list(shape)}")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") if names else "nothing"
