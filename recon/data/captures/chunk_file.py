"""One `.torch` chunk: a list of captures, opened without reading their pictures.

`torch.save` of a list of dicts with `key`, `url`, `timestamps` [N], `cameras` [N, 18] and `images`: N one-dimensional
uint8 tensors that hold picture files (pixelSplat, Charatan et al. 2024). Opened with `weights_only`, so that the pickle
inside can make tensors, lists, dicts, text and numbers and nothing else, and mapped into memory, so that bytes are read
from the disk when they are looked at.
"""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from recon.data.captures.capture import read_missing
from recon.data.captures.vector18 import NUM
from recon.errors import FormatError, LimitError
from recon.io.file_bytes import file_size
from recon.io.limits import GIBIBYTE, MEBIBYTE
from recon.io.torch_file import is_zip, require_no_more_than_on_disk

MAX_LEGACY_BYTES = GIBIBYTE
MAX_PICTURE_BYTES = 256 * MEBIBYTE
MAX_FRAMES = 100_000
MAX_KEY = 200
WHOLE = (torch.int64, torch.int32)


@dataclass(frozen=True)
class ChunkEntry:
    """One capture as it is stored.

    Attributes:
        key: Its name.
        cameras: See `recon.data.captures.vector18`.
        images: Picture files.
        timestamps: Microseconds; None where there are none.
        url: Of the video, or empty.
        missing: As of `Capture`; an entry `missing_frames` beside those of the field, which our writer makes.
    """

    key: str
    cameras: Float[Tensor, "views 18"]
    images: list[UInt8[Tensor, "_"]]
    timestamps: Int[Tensor, " views"] | None
    url: str
    missing: tuple[int, ...] = ()


@dataclass(frozen=True)
class Chunk:
    """The captures of a chunk, each of which can be used or not for itself.

    Attributes:
        entries: Those that are whole, by key, in their order.
        faults: What is wrong with the others, by key.
        nameless: What is wrong with those that have no key.
    """

    entries: dict[str, ChunkEntry]
    faults: dict[str, str]
    nameless: list[str]

    def __len__(self) -> int:
        return len(self.entries) + len(self.faults) + len(self.nameless)

    def __contains__(self, key: str) -> bool:
        return key in self.entries or key in self.faults

    def __getitem__(self, key: str) -> ChunkEntry:
        """The capture of that key.

        Raises:
            FormatError: It has another structure; the message says what was found.
        """
        if key in self.faults:
            raise FormatError(self.faults[key], hint="the other captures of the chunk can be used")
        return self.entries[key]


def open_chunk(path: Path) -> Chunk:
    """The captures of a chunk.

    Files that torch wrote before version 1.6 cannot be mapped; they are read whole, if they are not larger than 1 GiB.

    Raises:
        InputError: There is no such file.
        FormatError: It is damaged, holds anything but data, or is no list.
        LimitError: It is of the old form, and larger than 1 GiB.
    """
    content = _load(path)
    if not isinstance(content, list) or not content:
        raise FormatError(f"{path}: holds {_kind(content)}, expected a list of captures")
    chunk = Chunk({}, {}, [])
    for i, item in enumerate(content):
        where = f"{path}: capture {i}"
        try:
            key = _key(where, item)
        except FormatError as error:
            chunk.nameless.append(error.message)
            continue
        try:
            entry = _entry(f"{where} ({key!r})", key, item)
        except FormatError as error:
            chunk.faults[key] = error.message
            continue
        if key in chunk:
            chunk.faults[key] = f"{where} ({key!r}) is not the only one of this key, expected one each"
        chunk.entries[key] = entry
    return chunk


def _load(path: Path) -> object:
    size = file_size(path)
    try:
        mapped = is_zip(path)
        if not mapped and size > MAX_LEGACY_BYTES:
            raise LimitError(
                f"{path}: {size:,} bytes in the form of torch before 1.6, which is read whole; "
                f"at most {MAX_LEGACY_BYTES:,} are allowed",
                hint="load it with torch and save it again, in smaller chunks",
            )
        require_no_more_than_on_disk(path)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except LimitError:
        raise
    except Exception as error:  # the loader raises many types on damaged files; all of them mean the same
        reason = " ".join(str(error).removeprefix(f"{path}: ").split())[:200]
        raise FormatError(
            f"{path}: not a chunk of captures ({reason})",
            hint="the file is cut off or damaged, or holds more than tensors, lists, dicts and text; fetch it again",
        ) from error


class ChunkCache:
    """The chunks that were opened last.

    Args:
        max_open: How many are kept; of each, its cameras and what finds its pictures in the file.
    """

    def __init__(self, max_open: int = 8):
        self.max_open = max_open
        self._opened: OrderedDict[Path, Chunk] = OrderedDict()

    def open(self, path: Path) -> Chunk:
        """As `open_chunk`."""
        chunk = self._opened.pop(path, None)
        if chunk is None:
            chunk = open_chunk(path)
        self._opened[path] = chunk
        while len(self._opened) > self.max_open:
            self._opened.popitem(last=False)
        return chunk

    def __getstate__(self) -> dict[str, Any]:
        """Another process opens for itself."""
        return {"max_open": self.max_open, "_opened": OrderedDict()}


def _key(where: str, item: object) -> str:
    if not isinstance(item, dict):
        raise FormatError(f"{where} is {_kind(item)}, expected a dict")
    if "key" not in item:
        raise FormatError(f"{where} has no key; it holds {_names(item)}")
    key = item["key"]
    if not (isinstance(key, str) and 0 < len(key) <= MAX_KEY):
        raise FormatError(f"{where}: the key is {_kind(key)}, expected text of at most {MAX_KEY} characters")
    return key


def _entry(where: str, key: str, item: dict[Any, Any]) -> ChunkEntry:
    if missing := [name for name in ("cameras", "images") if name not in item]:
        raise FormatError(f"{where} has no {', '.join(missing)}; it holds {_names(item)}")
    url = item.get("url", "")
    if not isinstance(url, str):
        raise FormatError(f"{where}: the url is {_kind(url)}, expected text")
    cameras = _cameras(where, item["cameras"])
    images = _images(where, item["images"], len(cameras))
    timestamps = _timestamps(where, item.get("timestamps"), len(cameras))
    missing = read_missing(where, item.get("missing_frames"), len(cameras))
    return ChunkEntry(key, cameras, images, timestamps, url, missing)


def _names(item: dict[Any, Any]) -> str:
    return ", ".join(sorted(map(str, item))[:8]) or "nothing"


def _cameras(where: str, cameras: object) -> Float[Tensor, "views 18"]:
    if not (_is_plain(cameras) and cameras.is_floating_point()):
        raise FormatError(f"{where}: cameras are {_kind(cameras)}, expected a tensor of floats")
    if cameras.ndim != 2 or cameras.shape[1] != NUM or not 0 < len(cameras) <= MAX_FRAMES:
        raise FormatError(
            f"{where}: cameras have shape {tuple(cameras.shape)}, expected (1 to {MAX_FRAMES} frames, {NUM})"
        )
    return cameras.detach().float()


def _images(where: str, images: object, num: int) -> list[Tensor]:
    if not isinstance(images, (list, tuple)) or len(images) != num:
        found = f"{len(images)} images" if isinstance(images, (list, tuple)) else _kind(images)
        raise FormatError(f"{where}: {found}, {num} cameras; expected a list with one for each")
    for i, image in enumerate(images):
        if not (_is_plain(image) and image.dtype == torch.uint8 and image.ndim == 1):
            raise FormatError(f"{where}: image {i} is {_kind(image)}, expected the bytes of a picture file")
        if not (0 < len(image) <= MAX_PICTURE_BYTES and image.is_contiguous()):
            raise FormatError(
                f"{where}: image {i} has {len(image):,} bytes, expected 1 to {MAX_PICTURE_BYTES:,} in one piece"
            )
    return list(images)


def _timestamps(where: str, timestamps: object, num: int) -> Tensor | None:
    if timestamps is None:
        return None
    if not (_is_plain(timestamps) and timestamps.dtype in WHOLE and timestamps.shape == (num,)):
        raise FormatError(f"{where}: timestamps are {_kind(timestamps)}, expected {num} whole numbers")
    return timestamps


def _is_plain(value: object) -> TypeGuard[Tensor]:
    """Whether it is a dense tensor with its numbers in memory: neither sparse nor nested, nor a mere shape."""
    return isinstance(value, Tensor) and not value.is_nested and value.layout == torch.strided and value.is_cpu


def _kind(value: object) -> str:
    if isinstance(value, Tensor) and not _is_plain(value):
        return "a tensor that is nested, sparse or without numbers"
    if isinstance(value, Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
    return f"an empty {type(value).__name__}" if value in ([], {}, "") else f"a {type(value).__name__}"
