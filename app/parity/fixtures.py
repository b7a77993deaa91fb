"""Folders of recorded numbers, and which check each of them wants."""

from collections.abc import Callable
from pathlib import Path

from app.parity.gaussian_raster import check_gaussian_raster
from app.parity.ilrm import check_ilrm
from app.parity.report import TensorError
from recon.errors import FormatError, InputError
from recon.io.json_file import read_json

CHECKS: dict[str, Callable[[Path], list[TensorError]]] = {
    "gaussian_raster": check_gaussian_raster,
    "ilrm_main": check_ilrm,
    "ilrm_wide": check_ilrm,
}
"""`name` in config.json -> check."""


def find_fixtures(folders: list[Path]) -> list[Path]:
    """The folders themselves where they hold `config.json`, else all below them that do.

    Raises:
        InputError: A folder holds no fixture.
    """
    fixtures = []
    for folder in folders:
        found = sorted(path.parent for path in folder.rglob("config.json"))
        if not found:
            raise InputError(f"{folder} holds no config.json", hint="name folders of recorded tensors")
        fixtures += [folder] if folder in found else found
    return fixtures


def check_fixture(folder: Path) -> list[TensorError]:
    """Compare with the recorded numbers.

    Raises:
        FormatError: There is no check for what the folder says it is.
    """
    name = read_json(folder / "config.json").get("name")
    if not isinstance(name, str):
        raise FormatError(f"{folder / 'config.json'} states no name")
    if name not in CHECKS:
        raise FormatError(f"{folder}: there is no check for {name!r}", hint=f"there are {', '.join(CHECKS)}")
    return CHECKS[name](folder)
