"""Where in a folder a COLMAP model lies."""

from pathlib import Path

from recon.errors import InputError

PLACES = ("sparse/0", "sparse", "0", ".", "colmap/sparse/0")


def find_model(folder: Path) -> Path | None:
    """The folder with `cameras` and `images` as .bin or .txt: `sparse/0`, `sparse`, the folder itself; or None.

    Raises:
        InputError: The folder cannot be read.
    """
    try:
        return next((folder / place for place in PLACES if model_suffix(folder / place)), None)
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be read ({error.strerror or error})") from error


def model_suffix(folder: Path) -> str:
    """Suffix of the model's files, ".bin" before ".txt"; empty where there is no model."""
    for suffix in (".bin", ".txt"):
        if all((folder / f"{name}{suffix}").is_file() for name in ("cameras", "images")):
            return suffix
    return ""


def image_folders(folder: Path) -> list[Path]:
    """Where the images of a model may lie, for the folder that a person named; the most likely first.

    A person may also name `PROJECT/sparse/0` itself; images are then looked for in the project.
    """
    folder = folder.resolve()
    project = folder
    if folder.name.isdecimal() and folder.parent.name == "sparse":
        project = folder.parent.parent
    elif folder.name == "sparse":
        project = folder.parent
    return [project / "images", project]
