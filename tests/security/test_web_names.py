"""S14: names and messages that are markup, as they come out of archives, stay words in every tab and in the viewer."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Frame, Page, expect

from app.web import texts
from recon.types import Scene
from tests.app.web.page.conftest import Site, make_site, template, worker_modules
from tests.app.web.page.staged import lit_balls, write_staged_worker, write_template
from tests.browsing import chromium, complaints_of, sample_files

__all__ = ["make_site", "template", "worker_modules"]
PATIENCE_MS = 60_000
MARK = "class=made"
"""What every element has that one of these strings would make."""
HOSTILE = (
    f"<img src=x onerror=made() {MARK}>.jpg",
    f'"><img src=x onerror=made() {MARK}>.jpg',
    f"'><svg onload=made() {MARK}></svg>.jpg",
    f"<script {MARK}>made()</script>.jpg",
    f"</script><script {MARK}>made()</script>.jpg",
    f"</td></tr></table><h1 {MARK}>.jpg",
    f"</title><b {MARK}>.jpg",
    f"</textarea></style><b {MARK}>.jpg",
    f"<iframe src=javascript:parent.made() {MARK}></iframe>.jpg",
    f"<style {MARK}>*{{display:none}}</style>.jpg",
    f"<a href=javascript:made() {MARK}>x</a>.jpg",
    f"--><b {MARK}>.jpg",
    f"]]><b {MARK}>.jpg",
    f"<b\t{MARK}>.jpg",
    f"<math><mtext><b {MARK}></mtext></math>.jpg",
    f"&lt;b {MARK}&gt;.jpg",
    f"\\u003cb {MARK}\\u003e.jpg",
    '" onmouseover=made() autofocus onfocus=made() x=".jpg',
    "' onmouseover=made() autofocus onfocus=made() x='.jpg",
    "`;made();`.jpg",
    "${made()}.jpg",
    "{{made()}}.jpg",
    "{0}{name}%s%n.jpg",
    "javascript:made().jpg",
    "a\u202egpj.exe.jpg",
    "\u2066\u2067\u200f.jpg",
    "\u0301\u0301\u0301\u0301.jpg",
    f"<b {MARK}>" + "x" * 3000,
)
VIEWS = HOSTILE[:3]


def hostile_scene() -> Scene:
    """The balls, photographed under such names; photographs that failed have the others, for such reasons."""
    scene = lit_balls()
    poses = scene.report["poses"] | {"failed": {name: name for name in HOSTILE[3:]}, "total": len(HOSTILE)}
    uses = dict.fromkeys(VIEWS, HOSTILE[0])
    seconds = {name: 1.0 for name in HOSTILE}
    report = {**scene.report, "poses": poses, "views": uses, "seconds": seconds}
    return replace(scene, views=replace(scene.views, names=VIEWS), report=report)


@pytest.fixture
def site(make_site: Callable[..., Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    template = write_template(tmp_path / "hostile", mesh=True, scene=hostile_scene(), message=HOSTILE[0])
    write_staged_worker(tmp_path / "hostile_worker.py", template, pause=0.0, hold=tmp_path / "go")
    monkeypatch.syspath_prepend(tmp_path)
    return make_site("hostile_worker")


def count_made(place: Page | Frame) -> int:
    """Elements that a string made, handlers that it left, and what those have run."""
    return place.evaluate(
        """() => document.querySelectorAll('.made, [onerror], [onload], [onfocus], [onmouseover]').length
                 + (window.wasMade || 0)"""
    )


def frames_of(page: Page) -> list[Frame]:
    return [frame for frame in page.frames if frame != page.main_frame]


def test_s14_no_string_becomes_an_element(site: Site, tmp_path: Path) -> None:
    """0 of 28, in six tabs, the progress before them, the viewer of the scene and that of its surface."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.add_init_script("window.made = () => { window.wasMade = (window.wasMade || 0) + 1 }")
        complaints = complaints_of(page)
        job = site.engine.submit(sample_files(2))
        page.goto(f"{site.url}?job={job}")
        expect(page.locator("#status")).to_contain_text(HOSTILE[0], timeout=PATIENCE_MS)
        made = [count_made(page)]
        (tmp_path / "go").touch()
        expect(page.locator(".summary")).to_be_visible(timeout=PATIENCE_MS)
        viewer = page.frame_locator("#look iframe")
        expect(viewer.locator("body[data-ready=yes]")).to_be_attached(timeout=PATIENCE_MS)
        expect(viewer.locator(f'button[title="{VIEWS[0]}"]')).to_be_attached()
        for title in (texts.MESH_TAB, texts.VIDEO, texts.PHOTOGRAPHS_TAB, texts.DEPTH, texts.QUALITY_TAB, texts.FILES):
            page.get_by_role("tab", name=title, exact=True).click()
            page.wait_for_timeout(100)
            made.append(count_made(page))
        surface = page.frame_locator("#mesh iframe")
        expect(surface.locator("body[data-ready=yes]")).to_be_attached(timeout=PATIENCE_MS)
        made += map(count_made, frames_of(page))
        assert made == [0] * 9
        words = " ".join(page.locator("#photographs").evaluate("e => e.textContent").split())
        assert [name for name in HOSTILE if " ".join(name.split()) not in words] == []
        names = page.locator("#depth figcaption").all_text_contents()
        assert names == list(VIEWS)
        assert complaints == []
        # That what was counted could have been seen: a page that takes one of these strings for markup.
        page.evaluate("words => { document.body.insertAdjacentHTML('beforeend', words) }", HOSTILE[0])
        page.wait_for_function("window.wasMade === 1")
        assert count_made(page) == 2
