"""What a video or a zip says of itself before a job: how long, how many, how large. Nothing is decoded or unpacked."""

import io
import math
import zipfile
from pathlib import Path, PurePosixPath

from app.web import texts
from app.web.uploads.warning import PhotographWarning, differing_sizes, few
from recon.errors import ReconError
from recon.io.archive import opened_archive
from recon.io.archive_members import Member
from recon.io.frames.header import read_video_header
from recon.io.frames.sniff import VIDEO_SUFFIXES
from recon.io.frames.windows import DEFAULT_NUM, SHORTEST_WINDOW
from recon.io.limits import Limits
from recon.io.photographs.headers import read_header
from recon.io.photographs.image_folder import IMAGE_SUFFIXES

HEAD_BYTES = 256 * 1024
"""Of a picture in an archive, which say its size."""
POSE_FILES = ("transforms.json", "cameras.bin", "cameras.txt")


def about_video(path: Path, limits: Limits) -> list[PhotographWarning]:
    """How long it is, and how many frames are taken where the person wishes nothing else.

    Raises:
        ReconError: It cannot be read.
    """
    header = read_video_header(path, limits=limits)
    width, height = header.size
    if header.seconds is None:
        return [PhotographWarning("contents", texts.VIDEO_HOLDS_SIZE.format(width=width, height=height))]
    num = max(1, min(DEFAULT_NUM, math.ceil(header.seconds / SHORTEST_WINDOW)))
    length = f"{header.seconds:.1f}" if header.seconds < 10 else f"{header.seconds:.0f}"
    words = texts.VIDEO_HOLDS.format(seconds=length, width=width, height=height, num=num)
    return [PhotographWarning("contents", words), *filter(None, [few(num)])]


def about_archive(path: Path, limits: Limits) -> list[PhotographWarning]:
    """How many photographs it holds, how large they are, and whether camera positions are among them.

    Raises:
        ReconError: It cannot be read, or is not taken.
    """
    with opened_archive(path, limits) as (archive, members):
        names = [PurePosixPath(*member.parts).name.lower() for member in members]
        pictures = [m for m, name in zip(members, names, strict=True) if name.endswith(IMAGE_SUFFIXES)]
        if not pictures and any(name.endswith(VIDEO_SUFFIXES) for name in names):
            return [PhotographWarning("contents", texts.ZIP_HOLDS_VIDEO)]
        sizes = [size for member in pictures[: limits.max_photographs] if (size := _size(archive, member, limits))]
    words = texts.ZIP_HOLDS.format(num=len(pictures), size=sum(member.info.file_size for member in pictures) / 1e6)
    if set(names) & set(POSE_FILES):
        words = f"{words} {texts.ZIP_HOLDS_POSES}"
    return [PhotographWarning("contents", words), *filter(None, [few(len(pictures)), differing_sizes(sizes)])]


def _size(archive: zipfile.ZipFile, member: Member, limits: Limits) -> tuple[int, int] | None:
    """Width and height; None where the first bytes do not say."""
    with archive.open(member.info) as file:
        head = io.BytesIO(file.read(HEAD_BYTES))
    try:
        return read_header(head, Path(member.parts[-1]), limits=limits).original_size
    except ReconError:
        return None
