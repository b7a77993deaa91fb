"""What all harnesses share: the form of a harness, how one is found and how one input is judged.

A harness is a file `fuzz_NAME.py` with

    seeds() -> list[bytes]                      valid inputs, made by code; the first must read without an error
    feed(data: bytes, folder: Path) -> object   gives the bytes to a public reader, with small limits

Nothing here imports atheris, so that the same harnesses are replayed by the quick tests.
"""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from recon.errors import ReconError
from recon.io.limits import Limits

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
"""`corpus/NAME/*`: inputs that once made a reader fail, and odd ones worth keeping."""
PREFIX = "fuzz_"
SMALL = Limits(
    max_photographs=8,
    max_file_bytes=1 << 20,
    max_pixels=1 << 18,
    max_long_side=64,
    max_json_bytes=1 << 18,
    max_gaussians=1 << 14,
)


class Harness(NamedTuple):
    """One reader under test.

    Attributes:
        name: Part of the file name behind `fuzz_`.
        seeds: Makes valid inputs.
        feed: Reads one input; the folder is empty or holds what earlier calls of the same harness left.
    """

    name: str
    seeds: Callable[[], list[bytes]]
    feed: Callable[[bytes, Path], object]


def harness_names() -> list[str]:
    """All harnesses, by name."""
    return sorted(path.stem.removeprefix(PREFIX) for path in HERE.glob(f"{PREFIX}*.py"))


def load_harness(name: str) -> Harness:
    """Import the harness of that name, and with it the reader."""
    spec = importlib.util.spec_from_file_location(f"{PREFIX}{name}", HERE / f"{PREFIX}{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Harness(name, module.seeds, module.feed)


def kept_inputs(name: str) -> Iterator[Path]:
    """Files of the corpus of a harness."""
    return (path for path in sorted((CORPUS / name).glob("*")) if path.is_file())


def is_read(harness: Harness, data: bytes, folder: Path) -> bool:
    """Whether the reader takes the bytes; False when it refuses them as it may, with a ReconError.

    Every other exception passes through: it is what fuzzing looks for.
    """
    try:
        harness.feed(data, folder)
    except ReconError as error:
        if not str(error).strip():
            raise AssertionError(f"an error without a word: {error!r}") from error
        return False
    return True
