"""Photographs; what a file holds decides, not its name, but for HEIC."""

from pathlib import Path

from fuzzing import SMALL
from PIL import Image
from seed_data import encoded, picture

from recon.io.photographs.images import load_photograph


def seeds() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110] = 6, "Maker", "Model"  # orientation, make, model
    exif.get_ifd(0x8769).update({0x829A: 0.01, 0x920A: 4.2, 0xA405: 28})  # exposure, focal length, the same at 35 mm
    return [
        encoded(picture(), "JPEG", quality=50, exif=exif.tobytes()),
        encoded(picture("CMYK"), "JPEG", quality=50),
        *(encoded(picture(mode), "PNG") for mode in ("RGB", "RGBA", "L", "1", "P", "I;16")),
        encoded(picture(), "PNG", exif=exif.tobytes()),
        encoded(picture(), "WEBP", lossless=True, exif=exif.tobytes()),
        encoded(picture("RGBA"), "WEBP", quality=30),
        encoded(picture(), "TIFF"),
        encoded(picture("L"), "TIFF", compression="tiff_lzw"),
        encoded(picture(), "BMP"),
    ]


def feed(data: bytes, folder: Path) -> object:
    path = folder / "x.jpg"
    path.write_bytes(data)
    return load_photograph(path, limits=SMALL)
