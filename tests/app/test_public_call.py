import subprocess
import sys

import pytest

import app


def test_app_exports_the_call_and_not_a_module() -> None:
    code = (
        "import sys, app; assert 'torch' not in sys.modules; from app import reconstruct; "
        "import inspect; assert inspect.isfunction(reconstruct)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="paint"):
        app.paint  # noqa: B018
