"""Every harness in short: its seeds, what once crashed a reader, and some hundred damaged seeds."""

import random
import time
from pathlib import Path

import pytest
from fuzzing import CORPUS, harness_names, is_read, kept_inputs, load_harness

NUM_DAMAGED = 60
MAX_CORPUS_BYTES = 300 * 1024


def damaged(data: bytes, dice: random.Random) -> bytes:
    """The bytes with some of them flipped, cut off, doubled, or made extreme."""
    kind, at = dice.randrange(4), dice.randrange(len(data))
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + data[at // 2 :]
    changed = bytearray(data)
    for _ in range(dice.randint(1, 8)):
        changed[dice.randrange(len(data))] = dice.choice((0, 0x7F, 0xFF, ord("9"), dice.randrange(256)))
    return bytes(changed)


@pytest.mark.parametrize("name", harness_names())
def test_a_valid_input_is_read(name: str, tmp_path: Path) -> None:
    """Otherwise fuzzing would only ever see the first refusal."""
    harness = load_harness(name)
    assert is_read(harness, harness.seeds()[0], tmp_path)


@pytest.mark.parametrize("name", harness_names())
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, on damaged EXIF
def test_damaged_inputs_are_refused_in_words(name: str, tmp_path: Path) -> None:
    harness, dice = load_harness(name), random.Random(0)
    seeds = harness.seeds()
    refused = 0
    for _ in range(NUM_DAMAGED):
        refused += not is_read(harness, damaged(dice.choice(seeds), dice), tmp_path)
    assert refused > 0


@pytest.mark.parametrize(
    "path", [path for name in harness_names() for path in kept_inputs(name)], ids=lambda path: path.name
)
def test_what_once_failed_is_handled(path: Path, tmp_path: Path) -> None:
    harness = load_harness(path.parent.name)
    is_read(harness, harness.seeds()[0], tmp_path)  # brings in what is imported at first use
    start = time.monotonic()
    is_read(harness, path.read_bytes(), tmp_path)
    assert time.monotonic() - start < 5


def test_corpus_is_small_and_belongs_to_harnesses() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= set(harness_names())
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < MAX_CORPUS_BYTES


def test_what_is_no_typed_error_is_not_taken_for_a_refusal(tmp_path: Path) -> None:
    def fail(data: bytes, folder: Path) -> None:
        raise KeyError("width")

    with pytest.raises(KeyError):
        is_read(load_harness("ply")._replace(feed=fail), b"", tmp_path)
