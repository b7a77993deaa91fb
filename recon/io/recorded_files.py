"""Which files a `scene.json` names; reads nothing else of it."""

from pathlib import Path

from recon.errors import InputError
from recon.io.json_file import read_json


def recorded_files(folder: Path) -> list[Path]:
    """Files of `folder` that its `scene.json` names as results; none when there is no readable one."""
    try:
        names = read_json(folder / "scene.json").get("files")
    except InputError:
        return []
    return [folder / name for name in names if _is_file_below(folder, name)] if isinstance(names, dict) else []


def _is_file_below(folder: Path, name: str) -> bool:
    try:
        path = (folder / name).resolve()
        return path.is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
