"""Which folder holds a split."""

import logging
from pathlib import Path

from recon.errors import InputError

logger = logging.getLogger(__name__)


def split_folder(root: Path, split: str) -> Path:
    """`root/split`; for "val" without a folder of its own `root/test`, as the field does.

    Raises:
        InputError: There is no such folder.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    if (root / split).is_dir():
        return root / split
    if split == "val" and (root / "test").is_dir():
        logger.info("%s: has no val, test is taken for it", root)
        return root / "test"
    found = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    hint = f"did you mean {root.parent}?" if root.name == split else f"folders found: {', '.join(found[:8]) or 'none'}"
    raise InputError(f"{root}: has no split {split!r}", hint=hint)
