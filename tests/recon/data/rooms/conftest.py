"""A small texture library for all tests of the scene generator."""

import pytest

from recon.data.rooms.library import TextureLibrary, make_library


@pytest.fixture(scope="session")
def small_library() -> TextureLibrary:
    return make_library(size=64, share=0.05)
