"""Fuzz one reader with atheris: run_one.py NAME FOLDER [options of libFuzzer]; run_all.py starts it."""

import gc
import sys
import tempfile
import warnings
from pathlib import Path

import atheris
import torch
from fuzzing import is_read, kept_inputs, load_harness

INSTRUMENTED = ["recon", "models", "app"]


def main(name: str, folder: Path, options: list[str]) -> None:
    """Run until the time is over or an input crashes the reader.

    Args:
        name: Of the harness.
        folder: Gets the seeds; libFuzzer keeps the inputs that reach new code there.
        options: For libFuzzer.
    """
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=INSTRUMENTED):
        harness = load_harness(name)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="recon_fuzz_") as work:
        for i, data in enumerate([*harness.seeds(), *(path.read_bytes() for path in kept_inputs(name))]):
            (corpus / f"seed_{i:03}").write_bytes(data)
            is_read(harness, data, Path(work))  # brings in what is imported at first use, before time is watched

        def test_one_input(data: bytes) -> None:
            is_read(harness, data, Path(work))

        gc.freeze()  # what importing made is never looked at again
        atheris.Setup([sys.argv[0], str(corpus), *options], test_one_input, internal_libfuzzer=True)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
