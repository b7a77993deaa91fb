"""Shared fixtures; every function with jaxtyping annotations is checked by beartype while the tests run."""

import signal
from pathlib import Path

import pytest
import torch
from jaxtyping import install_import_hook

install_import_hook(["recon", "models"], "beartype.beartype")

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def fixtures() -> Path:
    return FIXTURES


def pytest_configure() -> None:
    """Shells start background jobs with Ctrl-C ignored, and their children inherit it; tests of Ctrl-C need it back."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
