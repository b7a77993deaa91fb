"""Which captures a benchmark runs on."""

from pathlib import Path

from recon.errors import InputError

CAMERAS = "cameras.json"


def find_captures(folders: list[Path]) -> list[Path]:
    """The folders themselves where they hold `cameras.json`, else those inside them that do.

    Raises:
        InputError: A folder holds no capture.
    """
    captures = []
    for folder in folders:
        found = [folder] if (folder / CAMERAS).is_file() else sorted(p.parent for p in folder.glob(f"*/{CAMERAS}"))
        if not found:
            raise InputError(f"{folder} holds no {CAMERAS}", hint="name folders that hold cameras.json and images")
        captures += found
    return captures
