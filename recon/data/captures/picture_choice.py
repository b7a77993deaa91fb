"""Which pictures of a DL3DV capture are read; chunks say which they were made of."""

from dataclasses import asdict, dataclass
from pathlib import Path

from recon.errors import FormatError, InputError
from recon.io.json_file import read_json, write_json

FILE = "read.json"
DOWNSAMPLES = (1, 2, 4, 8)


@dataclass(frozen=True)
class PictureChoice:
    """As `recon.data.captures.nerfstudio.Nerfstudio` takes them.

    Attributes:
        downsample: 1, 2, 4 or 8; None for the first of 4, 8, 2, 1 that a capture has.
        undistort: Whether k1, k2, p1, p2 are taken out of the pictures.

    Raises:
        FormatError: `downsample` is another number.
    """

    downsample: int | None = None
    undistort: bool = True

    def __post_init__(self) -> None:
        if self.downsample is not None and self.downsample not in DOWNSAMPLES:
            raise FormatError(f"downsample is {self.downsample}, expected one of {', '.join(map(str, DOWNSAMPLES))}")


UNSAID = PictureChoice()


def write_choice(folder: Path, choice: PictureChoice) -> None:
    """Say of which pictures the chunks in a folder are made, before the first is.

    Raises:
        InputError: Those that are there are made of others.
        ExportError: The disk does not take the file.
    """
    before = read_choice(folder)
    if before not in (None, choice):
        raise InputError(
            f"{folder}: holds chunks of {_words(before)}, not of {_words(choice)}", hint="name another folder"
        )
    write_json(folder / FILE, asdict(choice))


def read_choice(folder: Path) -> PictureChoice | None:
    """What `write_choice` wrote; None where nothing says it.

    Raises:
        FormatError: The file is not such a file.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    content = read_json(path)
    downsample, undistort = content.get("downsample"), content.get("undistort")
    if type(downsample) not in (int, type(None)) or type(undistort) is not bool:
        raise FormatError(f'{path}: expected "downsample", a number or null, and "undistort", true or false')
    return PictureChoice(downsample, undistort)


def check_choice(folder: Path, wish: PictureChoice) -> None:
    """Whether the chunks in a folder are made of the pictures that are asked for; the default asks for none.

    Raises:
        InputError: They are not, or nothing says so.
        FormatError: What says so is damaged.
    """
    made_of = read_choice(folder)
    if wish in (UNSAID, made_of):
        return
    found = "nothing says of which pictures they are made" if made_of is None else f"they are made of {_words(made_of)}"
    raise InputError(
        f"{folder}: chunks of {_words(wish)} are asked for; {found}",
        hint=f"convert them so with scripts/prepare_dl3dv, which notes it in {FILE}; "
        "downsample null, undistort true take any",
    )


def _words(choice: PictureChoice) -> str:
    return f"downsample {choice.downsample or 'null'}, undistort {str(choice.undistort).lower()}"
