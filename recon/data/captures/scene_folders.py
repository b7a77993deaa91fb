"""Data sets that are a folder of folders, one for each capture."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from recon.errors import FormatError, InputError
from recon.io.limits import MEBIBYTE

logger = logging.getLogger(__name__)

MAX_DEPTH = 3
MAX_LIST_BYTES = 64 * MEBIBYTE
SPLITS = ("train", "val", "test")
# DL3DV sorts its captures into batches of a thousand, and nerfstudio writes into a folder of its own.
NO_PART_OF_NAMES = re.compile(r"[0-9]+K|nerfstudio")
NEVER_ENTERED = re.compile(r"\..*|images.*|sparse|depth|masks")


def scene_folders(root: Path, split: str, is_scene: Callable[[Path], bool], expected: str) -> dict[str, Path]:
    """Folder of each capture of a split, by name, in the order of the names.

    The split is the folder `root/SPLIT` where there is one ("val": else `root/test`), or what the file `root/SPLIT.txt`
    names, one capture (or JSON file in it) a line. Where there are such files and none for "train", that is whatever
    they do not name. Where a data set has neither for any split, each is all of it. A name is the path from there, with
    forward slashes, without the parts `1K` ... `11K` and `nerfstudio`: so names do not change while captures are added.

    Args:
        root: Folder of the data set, or of a single capture.
        split: "train", "val" or "test".
        is_scene: Whether a folder holds a capture; what is inside one is not entered.
        expected: What such a folder holds, for the message.

    Raises:
        InputError: There is no capture.
        FormatError: Two captures would have one name.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    folder, wanted, held_out = _split(root, split)
    found: dict[str, Path] = {}
    for scene in _scenes(folder, is_scene, 0):
        name = _name(folder, scene)
        if name in found:
            raise FormatError(f"{folder}: {found[name]} and {scene} are both named {name!r}")
        found[name] = scene
    if held_out and found.keys() <= held_out:
        raise InputError(
            f"{root}: val.txt and test.txt hold out all {len(found)} captures, none is left to train on",
            hint="list fewer; or name the splits that you want, where a data set is converted",
        )
    found = {name: scene for name, scene in found.items() if name not in held_out}
    if wanted is not None:
        lost = [name for name in wanted if name not in found]
        if lost:
            shown = ", ".join(lost[:5])
            logger.warning(
                "%s: %d of %d captures listed for %s are missing: %s", root, len(lost), len(wanted), split, shown
            )
        found = {name: found[name] for name in wanted if name in found}
    if not found:
        raise InputError(f"{folder}: no capture, that is a folder with {expected}")
    return dict(sorted(found.items()))


def read_lines(path: Path) -> list[str]:
    """Lines of a list that are not blank.

    Raises:
        InputError: It cannot be read.
        FormatError: It is too long for a list of captures.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: the list cannot be read ({error})") from error
    if len(data) > MAX_LIST_BYTES:
        raise FormatError(f"{path}: more than {MAX_LIST_BYTES:,} bytes, expected a list of captures")
    lines = (line.strip() for line in data.decode("utf-8", errors="replace").splitlines())
    return [line for line in lines if line]


def names_listed_in(path: Path) -> list[str]:
    """Names of the captures of a list, which may give each as its name, its folder or a JSON file in that.

    Raises:
        InputError: It cannot be read.
        FormatError: It is too long for a list of captures.
    """
    return [_listed(line) for line in read_lines(path)]


def has_scene(root: Path, is_scene: Callable[[Path], bool]) -> bool:
    """Whether a capture is found in the first folders below `root`, without walking through all of a large data set."""
    return any(True for _ in _scenes(root, is_scene, 0, first=8, max_depth=MAX_DEPTH + 1))


def _split(root: Path, split: str) -> tuple[Path, list[str] | None, set[str]]:
    """The folder to look in, the names that are wanted, None for all, and those that are not."""
    for name in (split, "test") if split == "val" else (split,):
        if (root / name).is_dir():
            return root / name, None, set()
        if (root / f"{name}.txt").is_file():
            return root, names_listed_in(root / f"{name}.txt"), set()
    lists = [path for name in ("val", "test") if (path := root / f"{name}.txt").is_file()]
    if split == "train" and lists and not any((root / name).is_dir() for name in SPLITS):
        held_out = {name for path in lists for name in names_listed_in(path)}
        logger.info("%s: what %s do not name is trained on", root, " and ".join(path.name for path in lists))
        return root, None, held_out
    others = [name for name in SPLITS if (root / name).is_dir() or (root / f"{name}.txt").is_file()]
    if others:
        raise InputError(
            f"{root}: has no split {split!r}, only {', '.join(others)}",
            hint=f"make a folder {split}, or a file {split}.txt with one capture a line",
        )
    logger.warning("%s: is not divided into splits; all of its captures are taken for %s", root, split)
    return root, None, set()


def _scenes(
    folder: Path, is_scene: Callable[[Path], bool], depth: int, *, first: int | None = None, max_depth: int = MAX_DEPTH
) -> Iterator[Path]:
    if is_scene(folder):
        yield folder
        return
    if depth >= max_depth:
        return
    try:
        inner = sorted(p for p in folder.iterdir() if not NEVER_ENTERED.fullmatch(p.name) and p.is_dir())
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be read ({error})") from error
    for entry in inner[:first]:
        yield from _scenes(entry, is_scene, depth + 1, first=first, max_depth=max_depth)


def _name(folder: Path, scene: Path) -> str:
    return _name_of_parts(scene.relative_to(folder).parts) or folder.resolve().name


def _listed(line: str) -> str:
    path = PurePosixPath(line)
    return _name_of_parts((path.parent if path.suffix == ".json" else path).parts)


def _name_of_parts(parts: Iterable[str]) -> str:
    return "/".join(part for part in parts if not NO_PART_OF_NAMES.fullmatch(part))
