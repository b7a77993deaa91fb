import http.client
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from app.cli import main
from app.viewer.description import describe
from app.viewer.site import as_ply
from recon.io.scene_folder import load_scene
from recon.io.splats.files import write_gaussians
from recon.io.splats.ply import read_ply
from tests.browsing import chromium


def test_the_page_learns_where_cameras_stand_and_how_deep_they_see(result_folder: Path) -> None:
    told = describe(load_scene(result_folder))
    assert (told["name"], told["num_gaussians"], told["has_photographs"]) == ("room", 2, True)
    assert told["up"] == pytest.approx([0, -1, 0], abs=1e-6)
    assert [camera["name"] for camera in told["cameras"]] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [camera["world_from_cam"][0][3] for camera in told["cameras"]] == [-0.5, 0, 0.5]
    assert [camera["depth"] for camera in told["cameras"]] == [4, 4, 4]
    json.dumps(told, allow_nan=False)


def test_a_bare_file_is_seen_from_outside(result_folder: Path) -> None:
    told = describe(load_scene(result_folder / "gaussians.ply"))
    assert not told["has_photographs"]
    (camera,) = told["cameras"]
    assert camera["depth"] > 0.5


def test_other_formats_reach_the_page_as_ply(result_folder: Path, tmp_path: Path) -> None:
    gaussians = read_ply(result_folder / "gaussians.ply")
    write_gaussians(tmp_path / "room.splat", gaussians)
    with as_ply(tmp_path / "room.splat") as copy:
        assert copy != tmp_path / "room.splat"
        assert len(read_ply(copy)) == 2
    assert not copy.exists()
    with as_ply(result_folder / "gaussians.ply") as same:
        assert same == result_folder / "gaussians.ply"


@pytest.mark.parametrize(("words", "named"), [("nowhere", "nowhere"), (".", "scene.json")])
def test_what_is_no_scene_is_named(
    words: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["view", words, "--no-browser"]) == 2
    assert named in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_serves_until_it_is_interrupted(result_folder: Path) -> None:
    with serving(result_folder) as (process, url):
        address = urlsplit(url)
        connection = http.client.HTTPConnection(address.netloc, timeout=10)
        connection.request("GET", f"{address.path}gaussians.ply")
        assert connection.getresponse().read() == (result_folder / "gaussians.ply").read_bytes()
        connection.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


@pytest.mark.slow
def test_a_browser_shows_the_balls_where_they_are(result_folder: Path) -> None:
    with serving(result_folder) as (_, url), chromium() as browser:
        page = browser.new_page(viewport={"width": 800, "height": 600})
        page.goto(url)
        page.wait_for_selector("body[data-ready=yes]", timeout=120_000)
        assert page.text_content("#facts") == "2 Gaussians, 3 photographs"
        # The first camera stands in front of the red ball, the green one is to its right, at the same height.
        red, green = wait_for_balls(page, lambda red, green: abs(red[0] - 0.5) < 0.03)
        assert abs(red[1] - 0.5) < 0.03
        assert abs(green[1] - red[1]) < 0.03
        assert green[0] > red[0] + 0.1
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        wait_for_balls(page, lambda red, green: abs(green[0] - 0.5) < 0.03)
        assert page.text_content("#view") == "3 / 3  c.jpg"
        page.keyboard.press("KeyR")
        wait_for_balls(page, lambda red, green: abs(red[0] - 0.5) < 0.03)


Place = tuple[float, float]


def wait_for_balls(page: Page, until: Callable[[Place, Place], bool]) -> tuple[Place, Place]:
    """Where the red and the green ball are, as parts of width and height, once that is as expected."""
    deadline = time.monotonic() + 60
    while True:
        pixels = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
        red = np.argwhere((pixels[..., 0] > 150) & (pixels[..., 1] < 90))
        green = np.argwhere((pixels[..., 1] > 150) & (pixels[..., 0] < 90))
        if min(len(red), len(green)) > 2000:
            (y, x), (v, u) = red.mean(0) / pixels.shape[:2], green.mean(0) / pixels.shape[:2]
            if until((x, y), (u, v)):
                return (x, y), (u, v)
        assert time.monotonic() < deadline, f"{len(red)} red and {len(green)} green pixels, not where expected"
        time.sleep(0.3)


class serving:  # noqa: N801 - reads as a context manager
    """The command in its own process; gives it and the address."""

    def __init__(self, scene: Path):
        self.command = [sys.executable, "-m", "app.cli", "view", str(scene), "--no-browser", "--json"]

    def __enter__(self) -> tuple[subprocess.Popen[str], str]:
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, env=os.environ)
        assert self.process.stdout is not None
        return self.process, json.loads(self.process.stdout.readline())["url"]

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        deadline = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process.wait(timeout=5)
