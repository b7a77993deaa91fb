"""Reads 3D Gaussians from binary glTF with KHR_gaussian_splatting."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from recon.errors import FormatError
from recon.geometry.half_turn import turned_about_x
from recon.io.checked import check_count
from recon.io.file_bytes import read_bytes
from recon.io.glb_container import read_glb
from recon.io.limits import Limits
from recon.io.splats.glb import EXTENSION, FLOAT, PROPERTIES, harmonic_names
from recon.types import Gaussians

TRANSFORMS = ("matrix", "translation", "rotation", "scale")


def decode_gaussian_glb(path: Path, limits: Limits) -> Gaussians:
    """Read the Gaussians of the one primitive that has them; their values are not checked.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not binary glTF with one such primitive of float tables, unpacked and in the file itself.
        LimitError: It holds more Gaussians than `limits` allow.
    """
    document, start, num_bytes = read_glb(path, limits)
    try:
        primitive = _primitive(path, document)
        attributes = primitive["attributes"]
        degree = next((d for d in (3, 2, 1) if harmonic_names(d)[-1] in attributes), 0)
        reader = _Accessors(path, document, start, num_bytes, limits)
        quats = reader.read(attributes[f"{EXTENSION}:ROTATION"], "VEC4")
        sh = [reader.read(attributes[name], "VEC3") for name in harmonic_names(degree)]
        gaussians = Gaussians(
            means=torch.from_numpy(reader.read(attributes["POSITION"], "VEC3")),
            scales=torch.from_numpy(reader.read(attributes[f"{EXTENSION}:SCALE"], "VEC3")),
            quats=torch.nn.functional.normalize(torch.from_numpy(quats[:, [3, 0, 1, 2]]), dim=1),
            opacities=torch.from_numpy(reader.read(attributes[f"{EXTENSION}:OPACITY"], "SCALAR")[:, 0]),
            sh=torch.from_numpy(np.stack(sh, axis=1)),
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FormatError(f"{path}: the glTF lacks a part, or it is of another kind ({error!r})") from error
    return turned_about_x(gaussians)


def _primitive(path: Path, document: dict[str, Any]) -> dict[str, Any]:
    found = [p for mesh in document["meshes"] for p in mesh["primitives"] if EXTENSION in p.get("extensions", {})]
    if len(found) != 1:
        raise FormatError(f"{path}: {len(found)} primitives with {EXTENSION}, expected one")
    properties = found[0]["extensions"][EXTENSION]
    for name in ("kernel", "colorSpace"):
        if properties[name] != PROPERTIES[name]:
            raise FormatError(f"{path}: {name} is {str(properties[name])[:40]!r}, expected {PROPERTIES[name]!r}")
    if "extensions" in properties:
        raise FormatError(f"{path}: {EXTENSION} with extensions of its own, which are not supported")
    if any(name in node for node in document.get("nodes", []) for name in TRANSFORMS):
        raise FormatError(f"{path}: a node carries a transform, which is not supported", hint="apply it first")
    return found[0]


class _Accessors:
    """Tables of a document, each held against the length of the file before it is read."""

    def __init__(self, path: Path, document: dict[str, Any], start: int, num_bytes: int, limits: Limits):
        self.path, self.document, self.start, self.num_bytes = path, document, start, num_bytes
        self.limits, self.count = limits, None

    def read(self, index: int, kind: str) -> np.ndarray:
        """Rows of float32; every table must have as many as the first.

        Raises:
            FormatError: The accessor is of another kind or leaves its view, or the view leaves the file.
        """
        accessor = self.document["accessors"][_natural(index)]
        if accessor["componentType"] != FLOAT or accessor["type"] != kind or "sparse" in accessor:
            raise FormatError(f"{self.path}: accessor {index} is not a plain table of {kind} of float")
        view = self.document["bufferViews"][_natural(accessor["bufferView"])]
        buffer = self.document["buffers"][_natural(view["buffer"])]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[kind]
        count, offset = _natural(accessor["count"]), _natural(accessor.get("byteOffset", 0))
        check_count(self.path, count, self.limits)
        self.count = count if self.count is None else self.count
        if (
            count != self.count
            or view["buffer"] != 0
            or "uri" in buffer
            or view.get("byteStride", 4 * width) != 4 * width
        ):
            raise FormatError(f"{self.path}: accessor {index} has {count:,} rows, or its data lie elsewhere")
        begin, length = _natural(view.get("byteOffset", 0)), _natural(view["byteLength"])
        if offset + 4 * width * count > length or begin + length > self.num_bytes:
            raise FormatError(f"{self.path}: accessor {index} reaches beyond the {self.num_bytes:,} bytes of data")
        data = read_bytes(self.path, self.start + begin + offset, 4 * width * count)
        return np.frombuffer(data, "<f4").reshape(count, width).astype(np.float32)


def _natural(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{str(value)[:40]} is not a natural number")
    return value
