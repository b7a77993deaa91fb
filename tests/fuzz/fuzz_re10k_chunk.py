"""A `.torch` chunk of captures: opened, its cameras and the first picture read."""

import itertools
from pathlib import Path

import numpy as np
import torch
from seed_data import encoded, picture, written

from recon.data.captures.re10k_chunks import Re10kChunks

NUMBERS = itertools.count()


def entry(key: str = "a") -> dict[str, object]:
    vector = torch.tensor([1.0, 1.3, 0.5, 0.5, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0])
    jpeg = torch.tensor(np.frombuffer(encoded(picture(), "JPEG"), np.uint8))
    times = torch.arange(2)
    return {"url": "u", "timestamps": times, "cameras": vector.repeat(2, 1), "images": [jpeg, jpeg.clone()], "key": key}


def seeds() -> list[bytes]:
    bare = {name: value for name, value in entry().items() if name in ("key", "cameras", "images")}
    old = {"_use_new_zipfile_serialization": False}
    return [
        written(lambda path: torch.save([entry()], path), "a.torch"),
        written(lambda path: torch.save([entry("b"), bare], path), "a.torch"),
        written(lambda path: torch.save([entry()], path, **old), "a.torch"),  # pyright: ignore[reportArgumentType]
    ]


def feed(data: bytes, folder: Path) -> object:
    train = folder / "train"
    train.mkdir(exist_ok=True)
    for old in train.glob("*.torch"):
        old.unlink()
    name = f"{next(NUMBERS)}.torch"  # a new file: the last one may still be mapped
    (train / name).write_bytes(data)
    (train / "index.json").write_text(f'{{"a": "{name}"}}')
    capture = Re10kChunks(folder)[0]
    return capture.picture(0)
