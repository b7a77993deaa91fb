"""What happens to a draft: looked at once for each set of photographs, however often they are moved."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.web import texts
from app.web.engine import Engine, Findings
from tests.app.web.page.conftest import Site
from tests.app.web.uploads.uploaded_files import encoded, heic, mp4
from tests.browsing import chromium, complaints_of, sample_files, upload

PATIENCE_MS = 60_000


def test_photographs_are_looked_at_when_their_set_changes_and_not_when_their_order_does(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
):
    looked: list[list[str]] = []

    def check(engine: Engine, uploads: list[Path]) -> Findings:
        looked.append([path.name for path in uploads])
        return Findings((), {f"seen {len(looked)} times": "counted"}, [])

    monkeypatch.setattr(Engine, "check", check)
    site = make_site()
    with chromium() as browser:
        page = browser.new_page()
        page.goto(site.url)
        expect(page.locator("#run")).to_have_text(texts.RUN, timeout=PATIENCE_MS)
        upload(page, sample_files(3))
        names = page.locator("#strip .name")
        expect(page.locator("#notes")).to_contain_text("seen 1 times", timeout=PATIENCE_MS)
        page.get_by_role("button", name="Move room_03.jpg forward").click(force=True)
        expect(names).to_have_text(["room_01.jpg", "room_03.jpg", "room_02.jpg"], timeout=PATIENCE_MS)
        page.get_by_role("button", name="Remove room_01.jpg").click(force=True)
        expect(page.locator("#notes")).to_contain_text("seen 2 times", timeout=PATIENCE_MS)
    assert looked == [["room_01.jpg", "room_02.jpg", "room_03.jpg"], ["room_03.jpg", "room_02.jpg"]]


def test_while_a_job_runs_no_other_is_begun_and_stop_still_reaches_it(make_site: Callable[..., Site]):
    site = make_site("endless_worker")
    with chromium() as browser:
        page = browser.new_page()
        page.goto(site.url)
        run, names = page.locator("#run"), page.locator("#strip .name")
        expect(run).to_have_text(texts.RUN, timeout=PATIENCE_MS)
        upload(page, sample_files(2))
        expect(run).to_be_enabled(timeout=PATIENCE_MS)
        run.click()
        expect(page.locator("#status")).to_contain_text("endless", timeout=PATIENCE_MS)
        (job,) = site.engine._store.all()
        upload(page, [sample_files(3)[2]])
        expect(names).to_have_count(3, timeout=PATIENCE_MS)
        expect(run).to_be_disabled()
        page.get_by_role("button", name=texts.CANCEL, exact=True).click()
        expect(page.locator("#status")).to_contain_text(texts.CANCELLED_TITLE, timeout=PATIENCE_MS)
        assert site.engine.status(job.id).state == "cancelled"
        expect(run).to_be_enabled(timeout=PATIENCE_MS)


def test_heic_is_seen_and_a_video_tells_its_length(site: Site, tmp_path: Path):
    photographs = [tmp_path / "a.heic", tmp_path / "b.tif"]
    photographs[0].write_bytes(heic())
    photographs[1].write_bytes(encoded("TIFF"))
    video = tmp_path / "c.mp4"
    mp4(video)
    with chromium() as browser:
        page = browser.new_page()
        complaints = complaints_of(page)
        page.goto(site.url)
        expect(page.locator("#run")).to_have_text(texts.RUN, timeout=PATIENCE_MS)
        upload(page, photographs)
        expect(page.locator("#strip img")).to_have_count(2, timeout=PATIENCE_MS)
        for i in range(2):
            page.locator("#strip img").nth(i).evaluate("(image) => image.decode()")
        page.get_by_role("button", name=texts.CLEAR).click()
        upload(page, [video])
        expect(page.locator("#notes")).to_contain_text("1.0 s, 64 x 64 pixels", timeout=PATIENCE_MS)
        assert complaints == []


def test_a_full_disk_is_told_on_the_page_in_words(site: Site, monkeypatch: pytest.MonkeyPatch):
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with chromium() as browser:
        page = browser.new_page()
        page.goto(site.url)
        expect(page.locator("#run")).to_have_text(texts.RUN, timeout=PATIENCE_MS)
        upload(page, sample_files(2))
        expect(page.get_by_text("The disk of the server has no room for")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator("#strip li")).to_have_count(0)
