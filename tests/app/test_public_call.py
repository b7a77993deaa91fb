import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import app
from app.options import ReconstructOptions
from recon.errors import InputError


def test_torch_is_imported_at_the_first_use_and_not_before() -> None:
    code = (
        "import sys, app; assert 'torch' not in sys.modules; from app import reconstruct; assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_call_is_a_function_whatever_was_imported_before() -> None:
    import app.commands.reconstruct
    import app.composition

    assert inspect.isfunction(app.reconstruct)


def test_the_output_folder_is_needed() -> None:
    with pytest.raises(TypeError, match="out"):
        app.reconstruct("photos")


def test_the_output_folder_is_named_once() -> None:
    with pytest.raises(TypeError, match="either"):
        app.reconstruct(ReconstructOptions(Path("photos"), Path("out")), "elsewhere")


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("poses", ["guess", None]),
        ("quality", ["good", None]),
        ("seed", [-1, 2**31, 1.0, True, "7"]),
        ("device", ["gpu", "cuda:", "cuda:-1", "cuda:01", "cuda:x", "cpu:0", "mps", "meta", "", None]),
    ],
)
def test_values_without_meaning_are_input_errors(option: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(InputError, match=option):
            app.reconstruct("photos", "out", **{option: value})


def test_unknown_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        app.reconstruct("photos", "out", colour="blue")
    assert "colour" not in ReconstructOptions.__dataclass_fields__


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="paint"):
        app.paint  # noqa: B018
