"""What kind of video a file is, by its first bytes and never by its name."""

from pathlib import Path

from recon.errors import FormatError, InputError

VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")
# Types of the first box of an ISO base media or QuickTime file.
MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"file ", b"[playlist]", b"http")


def is_video_name(name: str) -> bool:
    """Whether the suffix is one of a video."""
    return name.lower().endswith(VIDEO_SUFFIXES)


def demuxer_of(path: Path) -> str:
    """The name that libavformat has for the container: "mov", "matroska" or "avi".

    The decoder is told this name, so that it never guesses: a playlist under the name of a video would have it open
    other files.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is none of these.
    """
    if not path.is_file():
        raise InputError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InputError(f"{path}: the video cannot be opened ({error.strerror or error})") from error
    if head[4:8] in MOV_BOXES:
        return "mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:11] == b"AVI":
        return "avi"
    found = "a playlist" if head.lstrip().startswith(PLAYLISTS) else "not a video of a kind that is read"
    raise FormatError(f"{path}: {found}, whatever its name says", hint="expected MP4, QuickTime, Matroska, WebM or AVI")
