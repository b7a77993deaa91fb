"""The tab of the surface: drawn in the browser, and found under the id of its job alone."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.web import texts
from tests.app.web.page.conftest import Site
from tests.app.web.page.staged import write_staged_worker, write_template
from tests.browsing import canvas_colors, chromium, complaints_of, sample_files

PATIENCE_MS = 60_000


@pytest.fixture
def mesh_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Plays a scene with a surface back."""
    template = write_template(tmp_path / "template", mesh=True)
    write_staged_worker(tmp_path / "mesh_worker.py", template, pause=0)
    monkeypatch.syspath_prepend(tmp_path)
    return "mesh_worker"


def test_the_surface_is_drawn_and_no_copy_of_it_lies_elsewhere(make_site: Callable[..., Site], mesh_worker: str):
    site = make_site(mesh_worker)
    job = site.engine.submit(sample_files(2))
    list(site.engine.events(job, timeout=60))
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        complaints = complaints_of(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{site.url}?job={job}")
        expect(page.locator(".summary")).to_be_visible(timeout=PATIENCE_MS)
        assert not any(url.endswith("mesh.glb") for url in asked)  # only who looks at it loads it
        page.get_by_role("tab", name=texts.MESH_TAB).click()
        frame = page.frame_locator("#mesh iframe")
        expect(frame.locator("body[data-ready=yes]")).to_be_attached(timeout=PATIENCE_MS)
        expect(frame.locator("#facts")).to_contain_text("triangles")
        page.wait_for_timeout(500)
        picture = frame.locator("#canvas").screenshot()
        assert canvas_colors(picture) > 20
        assert complaints == []
    assert [url for url in asked if url.endswith("mesh.glb")] == [f"{site.url}jobs/{job}/view/mesh/mesh.glb"]
    uploads = Path(os.environ["GRADIO_TEMP_DIR"])
    assert list(uploads.rglob("*.glb")) == []
