"""S6: small files that claim huge pictures cost neither memory nor time."""

import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

MAX_EXTRA_MB, MAX_SECONDS = 64, 2.0


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *extra: bytes, depth: int = 8, colour: int = 2) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(1_000_000), 9))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + body + chunk(b"IEND", b"")


def saved(kind: str, image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def jpeg_with_size(width: int, height: int) -> bytes:
    data = bytearray(saved("JPEG", Image.new("RGB", (64, 64))))
    frame = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, frame + 5, height, width)
    return bytes(data)


def bmp_with_size(width: int, height: int) -> bytes:
    data = bytearray(saved("BMP", Image.new("RGB", (64, 64))))
    struct.pack_into("<ii", data, 18, width, height)
    return bytes(data)


def tiff_with_size(side: int) -> bytes:
    data = saved("TIFF", Image.new("RGB", (64, 64)))
    for tag in (256, 257):
        for kind in (3, 4):
            old = struct.pack("<HHI", tag, kind, 1)
            place = data.find(old)
            if place >= 0:
                data = data[:place] + struct.pack("<HHII", tag, 4, 1, side) + data[place + 12 :]
    return data


def text_bomb() -> bytes:
    return png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000), 1)))


def profile_bomb() -> bytes:
    return png(8, 8, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(100_000_000), 1)))


def many_frames(kind: str, **options: object) -> bytes:
    frames = [Image.fromarray(np.full((64, 64, 3), i % 256, np.uint8)) for i in range(60)]
    return saved(kind, frames[0], save_all=True, append_images=frames[1:], **options)


REFUSED: dict[str, Callable[[], bytes]] = {
    "png_30000.png": lambda: png(30_000, 30_000),
    "png_grey_1bit.png": lambda: png(40_000, 40_000, depth=1, colour=0),
    "png_thin.png": lambda: png(2_000_000_000, 1),
    "png_limit.png": lambda: png(2**31 - 1, 2**31 - 1),
    "png_16bit.png": lambda: png(12_000, 12_000, depth=16),
    "jpeg_65535.jpg": lambda: jpeg_with_size(65_500, 65_500),
    "bmp.bmp": lambda: bmp_with_size(30_000, 30_000),
    "bmp_upside_down.bmp": lambda: bmp_with_size(30_000, -30_000),
    "tiff.tif": lambda: tiff_with_size(30_000),
    "text_bomb.png": text_bomb,
    "profile_bomb.png": profile_bomb,
    "gif.png": lambda: many_frames("GIF"),
    "jpeg2000.jpg": lambda: saved("JPEG2000", Image.new("RGB", (64, 64))),
    "ppm.png": lambda: b"P6 30000 30000 255\n" + bytes(1000),
    "eps.jpg": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "svg.png": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "pdf.tif": lambda: b"%PDF-1.4\n",
    "empty.webp": lambda: b"",
}
# One picture of small size comes out of these.
READ: dict[str, Callable[[], bytes]] = {
    "apng.png": lambda: many_frames("PNG"),
    "tiff_pages.tif": lambda: many_frames("TIFF"),
    "webp_frames.webp": lambda: many_frames("WEBP"),
}

# Runs in a process of its own, whose peak memory then is that of the loader.
PROBE = """
import json, resource, sys, time, warnings
from pathlib import Path
from recon.errors import ReconError
from recon.io.photographs.images import load_photograph
warnings.simplefilter("ignore")
facts = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    try:
        outcome = list(load_photograph(path).size)
    except ReconError as error:
        outcome = type(error).__name__
    rise = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    facts[path.name] = (outcome, rise, time.perf_counter() - start)
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[object, float, float]]:
    folder = tmp_path_factory.mktemp("bombs")
    for name, make in {**REFUSED, **READ}.items():
        (folder / name).write_bytes(make())
        assert (folder / name).stat().st_size < 4_000_000
    done = subprocess.run([sys.executable, "-c", PROBE, str(folder)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", REFUSED)
def test_bombs_are_refused(name: str, facts: dict[str, tuple[object, float, float]]):
    assert facts[name][0] in ("LimitError", "FormatError")


@pytest.mark.parametrize("name", READ)
def test_one_small_picture_comes_out_of_many(name: str, facts: dict[str, tuple[object, float, float]]):
    assert facts[name][0] == [64, 64]


def test_none_costs_memory_or_time(facts: dict[str, tuple[object, float, float]]):
    assert len(facts) == len(REFUSED) + len(READ)
    assert {name: rise for name, (_, rise, _) in facts.items() if rise > MAX_EXTRA_MB} == {}
    assert {name: seconds for name, (_, _, seconds) in facts.items() if seconds > MAX_SECONDS} == {}
