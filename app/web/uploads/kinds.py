"""What an uploaded file is, by its first bytes; its name must not claim something else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recon.errors import FormatError, InputError
from recon.io.frames.sniff import PLAYLISTS, VIDEO_SUFFIXES, demuxer_of
from recon.io.photographs.image_folder import IMAGE_SUFFIXES

Family = Literal["image", "video", "archive"]
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
FAMILIES: dict[Family, tuple[str, ...]] = {
    "image": IMAGE_SUFFIXES,
    "video": VIDEO_SUFFIXES,
    "archive": (".zip",),
}
IN_WORDS: dict[Family, str] = {"image": "a photograph", "video": "a video", "archive": "a zip archive"}
EXPECTED = (
    "expected photographs (JPEG, PNG, WebP, HEIC, TIFF, BMP), a video (MP4, MOV, MKV, WebM, AVI) or a zip archive"
)
HEAD_BYTES = 16


@dataclass(frozen=True)
class Kind:
    """What a file is.

    Attributes:
        family: What it is used as.
        suffix: That a file of this kind has.
    """

    family: Family
    suffix: str


def kind_of(path: Path) -> Kind:
    """The kind of a file.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is of no kind that is taken, or of another than its name says.
    """
    found = _sniffed(path)
    claimed: list[Family] = [family for family, suffixes in FAMILIES.items() if path.name.lower().endswith(suffixes)]
    if found is None:
        raise FormatError("this is no kind of file that is taken", hint=EXPECTED)
    if claimed != [found.family]:
        says = f"its name says {IN_WORDS[claimed[0]]}" if claimed else "its name does not say so"
        raise FormatError(f"this is {IN_WORDS[found.family]}, but {says}", hint="give it its right name")
    return found


def _sniffed(path: Path) -> Kind | None:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError) as error:
        raise InputError("the file cannot be read", hint="upload it again") from error
    if not head:
        raise FormatError("the file is empty", hint="upload it again")
    for start, suffix in ((b"\xff\xd8\xff", ".jpg"), (b"\x89PNG\r\n\x1a\n", ".png"), (b"BM", ".bmp")):
        if head.startswith(start):
            return Kind("image", suffix)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind("image", ".webp")
    if head[:4] in (b"II*\0", b"MM\0*"):
        return Kind("image", ".tif")
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS:
        return Kind("image", ".heic")
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return Kind("archive", ".zip")
    return _sniffed_video(path, head)


def _sniffed_video(path: Path, head: bytes) -> Kind | None:
    if head.lstrip().startswith(PLAYLISTS):
        return None
    try:
        demuxer = demuxer_of(path)
    except FormatError:
        return None
    return Kind("video", {"mov": ".mp4", "matroska": ".mkv", "avi": ".avi"}[demuxer])
