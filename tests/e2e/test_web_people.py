"""People at the page with the real worker: who stops, who uploads what is no photograph, and two at once."""

import json
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import psutil
import pytest
import trimesh
from playwright.sync_api import Browser, Page, expect

from app.web import texts
from app.web.jobs.process import MODULE
from recon.io.colmap.read import read_model
from recon.io.splats.files import read_gaussians
from recon.io.transforms_json import read_transforms
from tests.app.web.served import Served, served, works
from tests.browsing import canvas_colors, chromium, complaints_of, sample_files, upload_all

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
PATIENCE_MS = 300_000
SECONDS_TO_CANCEL = 2.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with chromium() as browser:
        yield browser


SPLATS = re.compile(r"/view/(poses|gaussians|refinement|result)/")
"""Viewers of splats, which `test_web_page` looks at: several at once leave a machine without graphics card no time."""


@contextmanager
def somebody(browser: Browser, url: str, *, without: re.Pattern[str] | None = None) -> Iterator[Page]:
    """A page in a browser of somebody's own, which has nothing to complain of up to the end.

    Args:
        browser: Runs it.
        url: Of the page.
        without: Addresses that give an empty page.
    """
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    if without:
        context.route(without, lambda route: route.fulfill(body="", content_type="text/html"))
    page = context.new_page()
    complaints = complaints_of(page)
    page.goto(url)
    expect(page.locator("#example button")).to_be_visible()
    yield page
    assert complaints == []
    context.close()


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def test_what_is_no_photograph_is_told_and_a_job_is_stopped(server: Served, browser: Browser, tmp_path: Path) -> None:
    words, empty = tmp_path / "notes.jpg", tmp_path / "empty.zip"
    words.write_text("no photograph at all")
    zipfile.ZipFile(empty, "w").close()
    with somebody(browser, server.url) as page:
        upload_all(page, [words, sample_files(1)[0]])
        press(page, texts.RUN)
        expect(page.locator("#status")).to_contain_text("1 of 2 files can be used")
        expect(page.locator("#status")).to_contain_text("notes.jpg")
        press(page, texts.CLEAR)
        upload_all(page, [empty])
        press(page, texts.RUN)
        expect(page.locator("#status")).to_contain_text(texts.FAILED_TITLE)
        expect(page.locator("#status")).to_contain_text("empty.zip")
        assert server.workers() == []
        press(page, texts.CLEAR)
        upload_all(page, sample_files(4))
        page.get_by_label("Best", exact=True).check()
        press(page, texts.RUN)
        worker = worker_of(server)
        early = page.frame_locator("#early iframe")  # it has found the places, and goes on
        expect(early.locator("body[data-ready=yes]")).to_be_attached()
        assert stop(page, worker) < SECONDS_TO_CANCEL
        expect(page.locator("#status")).to_contain_text(texts.CANCELLED_TITLE)
        expect(page.locator("#early iframe")).to_be_hidden()
        expect(page.get_by_role("button", name=texts.RUN)).to_be_enabled()
        job = page.url.split("job=")[1]
        (folder,) = server.jobs.rglob(job)
        assert list(folder.iterdir()) == []
        assert server.workers() == []


def worker_of(server: Served) -> psutil.Process:
    """The one that works on a job."""
    deadline = time.monotonic() + 120
    while not (found := [worker for worker in server.workers() if MODULE in worker.cmdline()]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found[0]


def stop(page: Page, worker: psutil.Process) -> float:
    """Seconds from the request that the button sends to when the worker is gone."""
    workers = [worker, *worker.children(recursive=True)]
    gone: list[float] = []

    def look() -> None:
        deadline = time.monotonic() + 60
        while any(map(works, workers)) and time.monotonic() < deadline:
            time.sleep(0.005)
        gone.append(time.time())

    thread = threading.Thread(target=look)
    thread.start()
    with page.expect_request_finished(lambda request: "/queue/join" in request.url) as asked:
        press(page, texts.CANCEL)
    thread.join()
    return gone[0] - asked.value.timing["startTime"] / 1000


def test_two_people_at_once_each_get_their_own_scene_and_every_file_of_it_opens(
    server: Served, browser: Browser, tmp_path: Path
) -> None:
    files = sample_files(6)
    with somebody(browser, server.url, without=SPLATS) as first:
        upload_all(first, files[:3])
        first.get_by_label("Fast", exact=True).check()
        first.get_by_text(texts.OPTIONS, exact=True).click()
        first.get_by_label(texts.MESH).check()
        for words, _ in texts.EXPORT_NAMES:
            first.get_by_label(words, exact=True).check()
        press(first, texts.RUN)
        worker_of(server)
        with somebody(browser, server.url, without=SPLATS) as second:
            upload_all(second, files[3:])
            second.get_by_label("Fast", exact=True).check()
            press(second, texts.RUN)
            expect(second.locator("#status")).to_contain_text(texts.WAITING_FIRST)
            for page, own in ((first, files[:3]), (second, files[3:])):
                expect(page.locator(".summary")).to_be_visible()
                page.get_by_role("tab", name=texts.PHOTOGRAPHS_TAB).click()
                expect(page.locator("#photographs tbody tr")).to_have_count(len(own))
                assert shown(page) == {path.name for path in own}
            nothing_is_seen_of(first, second, server.url)
        every_file_opens(first, tmp_path)
        the_surface_is_drawn(first)


def shown(page: Page) -> set[str]:
    """Photographs whose names stand anywhere in the page, but for the thumbnails of the sample."""
    content = page.locator("#strip, #output").evaluate_all("all => all.map((e) => e.outerHTML).join()")
    return {path.name for path in sample_files(10) if path.name in content}


def nothing_is_seen_of(first: Page, second: Page, url: str) -> None:
    """Neither id nor address of one job is in the page of the other, and an id that is wrong leads nowhere."""
    jobs = [page.url.split("job=")[1] for page in (first, second)]
    assert jobs[0] not in second.content()
    assert jobs[1] not in first.content()
    wrong = jobs[0][:-1] + ("a" if jobs[0][-1] != "a" else "b")
    with somebody(second.context.browser, f"{url}?job={wrong}") as third:  # pyright: ignore[reportArgumentType]
        expect(third.locator("#status")).to_contain_text(texts.GONE_TITLE)
        assert shown(third) == set()
        for name in ("files/result/gaussians.ply", "view/result/", "all.zip"):
            assert third.request.get(f"{url}jobs/{wrong}/{name}").status == 404
            assert third.request.get(f"{url}jobs/{jobs[0]}/{name}").ok  # whoever has the id has the scene


def the_surface_is_drawn(page: Page) -> None:
    page.get_by_role("tab", name=texts.MESH_TAB).click()
    frame = page.frame_locator("#mesh iframe")
    expect(frame.locator("body[data-ready=yes]")).to_be_attached()
    page.wait_for_timeout(3000)
    assert canvas_colors(frame.locator("#canvas").screenshot(timeout=PATIENCE_MS)) > 100


def every_file_opens(page: Page, folder: Path) -> None:
    """Each is downloaded by its link, and read by what reads its kind."""
    page.get_by_role("tab", name=texts.FILES, exact=True).click()
    links = page.locator("#files td a")
    names = links.all_text_contents()
    for i, name in enumerate(names):
        with page.expect_download() as download:
            links.nth(i).click()
        download.value.save_as(folder / name)
    with page.expect_download() as download:
        page.get_by_text(texts.FILES_ALL).click()
    download.value.save_as(folder / "all.zip")
    with zipfile.ZipFile(folder / "all.zip") as archive:
        archive.extractall(folder / "all")
    scene = folder / "all" / "scene"
    assert {path.name for path in scene.iterdir() if path.is_file()} == set(names)
    num = json.loads((folder / "scene.json").read_text())["gaussians"]["count"]
    for name in ("gaussians.ply", "gaussians.splat", "gaussians.spz", "gaussians.glb"):
        assert len(read_gaussians(folder / name)) == num, name
    assert 100 < len(trimesh.load(folder / "points.ply").vertices) <= num  # pyright: ignore[reportAttributeAccessIssue]
    assert len(trimesh.load(folder / "mesh.glb", force="mesh").faces) > 500  # pyright: ignore[reportAttributeAccessIssue]
    with av.open(str(folder / "turntable.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) > 24
    num_views = len(read_transforms(scene / "transforms.json")[0])
    assert num_views == len(read_model(scene / "sparse" / "0").images) >= 3
    assert len(list((scene / "depth").glob("*.npy"))) == num_views
