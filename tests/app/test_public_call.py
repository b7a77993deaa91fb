import inspect
import subprocess
import sys

import pytest

import app
from app.options import ReconstructOptions


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


def test_unknown_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        app.reconstruct("photos", "out", colour="blue")
    assert "colour" not in ReconstructOptions.__dataclass_fields__


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="paint"):
        app.paint  # noqa: B018
