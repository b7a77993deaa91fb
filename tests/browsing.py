"""Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking"]
# What a browser without a graphics card says of itself.
HARMLESS = ("GPU stall", "WebGPU", "software WebGL", "GL Driver Message", "Automatic fallback to software")


@contextmanager
def chromium() -> Iterator[Browser]:
    assert PROGRAM, "these tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def complaints_of(page: Page) -> list[str]:
    """Filled with what goes wrong in the page: errors, warnings of its rules, requests to other machines."""
    found: list[str] = []

    def note(words: str) -> None:
        if not any(part in words for part in HARMLESS):
            found.append(words)

    page.on("console", lambda m: note(f"console: {m.text} {m.location.get('url', '')}") if m.type == "error" else None)
    page.on("pageerror", lambda error: note(f"error: {error}"))
    own = ("http://127.0.0.1:", "data:", "blob:", "about:")
    page.on("request", lambda r: None if r.url.startswith(own) else note(f"elsewhere: {r.url}"))
    return found


def upload(page: Page, files: list[Path]) -> None:
    """Choose files in the field of the page; that they arrive, takes a while."""
    page.locator("#drop input[type=file]").set_input_files([str(path) for path in files])


def upload_all(page: Page, files: list[Path]) -> None:
    """Upload the first files of a page, and wait until all are there."""
    upload(page, files)
    expect(page.locator("#strip li")).to_have_count(len(files))


def canvas_colors(picture: bytes) -> int:
    """How many different colours a screenshot holds: a scene has many, an empty canvas one."""
    import cv2
    import numpy as np

    pixels = np.asarray(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR))
    return len(np.unique((pixels // 16).reshape(-1, 3), axis=0))


def sample_files(num: int) -> list[Path]:
    return sorted((Path(__file__).parents[1] / "datasets" / "sample").glob("*.jpg"))[:num]
