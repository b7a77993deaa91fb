"""The page for those who use it without a mouse, without eyes, or without things that move."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.web import texts
from recon.pipeline.stages import STAGES
from tests.app.web.page.conftest import Site
from tests.browsing import chromium, complaints_of, sample_files, upload

PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def opened(browser: Browser, url: str, **options: str) -> Page:
    page = browser.new_page(**options)  # pyright: ignore[reportArgumentType]
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    expect(page.locator("#run")).to_have_text(texts.RUN, timeout=PATIENCE_MS)
    return page


def test_a_photograph_is_moved_with_the_keyboard_alone_and_the_focus_goes_with_it(site: Site, browser: Browser):
    page = opened(browser, site.url)
    upload(page, sample_files(4))
    names = page.locator("#strip .name")
    expect(names).to_have_count(4, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Move room_04.jpg forward").focus()
    page.keyboard.press("Enter")
    expect(names).to_have_text(["room_01.jpg", "room_02.jpg", "room_04.jpg", "room_03.jpg"], timeout=PATIENCE_MS)
    page.wait_for_function("document.activeElement.getAttribute('aria-label') === 'Move room_04.jpg forward'")
    page.keyboard.press("Enter")
    expect(names).to_have_text(["room_01.jpg", "room_04.jpg", "room_02.jpg", "room_03.jpg"], timeout=PATIENCE_MS)
    page.wait_for_function("document.activeElement.getAttribute('aria-label') === 'Move room_04.jpg forward'")
    page.get_by_role("button", name="Remove room_02.jpg").focus()
    page.keyboard.press("Enter")
    expect(names).to_have_text(["room_01.jpg", "room_04.jpg", "room_03.jpg"], timeout=PATIENCE_MS)
    page.wait_for_function("document.activeElement.getAttribute('aria-label') === 'Remove room_03.jpg'")
    page.close()


def test_what_happens_is_said_in_one_node_that_stays(make_site: Callable[..., Site], browser: Browser, tmp_path: Path):
    site = make_site("slow_worker")
    page = opened(browser, site.url)
    page.evaluate(
        """() => {
            window.heard = [];
            const live = document.getElementById('said');
            new MutationObserver(() => window.heard.push(live.textContent)).observe(live, { childList: true });
        }"""
    )
    upload(page, sample_files(2))
    expect(page.locator("#strip li")).to_have_count(2, timeout=PATIENCE_MS)
    page.get_by_role("button", name=texts.RUN).click()
    expect(page.locator(".summary")).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_function(f"window.heard.some((words) => words.includes('{texts.DONE}.'))")
    heard = page.evaluate("window.heard")
    assert all(one != after for one, after in pairwise(heard)), heard  # once, not at every update
    assert len(set(heard) & {stage.words for stage in STAGES}) > 3, heard
    assert page.locator("#said[aria-live=polite]").count() == 1
    page.close()


def test_every_table_has_a_head_for_each_column_and_refused_files_are_told(
    site: Site, browser: Browser, tmp_path: Path
):
    odd = tmp_path / "odd.jpg"
    odd.write_text("no picture")
    job = site.engine.submit([*sample_files(2), odd])
    list(site.engine.events(job, timeout=60))
    page = browser.new_page(reduced_motion="reduce", viewport={"width": 1400, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    complaints = complaints_of(page)
    page.goto(f"{site.url}?job={job}")
    expect(page.locator(".summary")).to_be_visible(timeout=PATIENCE_MS)
    for tab, rows in ((texts.PHOTOGRAPHS_TAB, 5), (texts.QUALITY_TAB, 2), (texts.FILES, 3)):
        page.get_by_role("tab", name=tab, exact=True).click()
        table = page.locator("#results table:visible").first
        expect(table).to_be_visible()
        num_heads, widths = table.evaluate(
            """(table) => [
                table.querySelectorAll('thead th').length,
                [...table.querySelectorAll('tbody tr')].map((row) => [...row.cells].reduce((n, c) => n + c.colSpan, 0)),
            ]"""
        )
        assert set(widths) == {num_heads}, tab
        assert len(widths) >= rows
    page.get_by_role("tab", name=texts.PHOTOGRAPHS_TAB, exact=True).click()
    words = page.locator("#photographs").inner_text()
    assert f"{texts.NOT_TAKEN}: this is no kind of file that is taken" in words
    assert texts.MEASURED in words
    assert "network" not in words
    page.get_by_role("tab", name=texts.VIDEO, exact=True).click()
    video = page.locator("#video video:not([data-play])")
    expect(video).to_be_attached(timeout=PATIENCE_MS)
    assert video.evaluate("(video) => [video.autoplay, video.paused]") == [False, True]
    assert complaints == []
    page.close()


def test_a_video_plays_by_itself_for_everybody_else(site: Site, browser: Browser):
    job = site.engine.submit(sample_files(2))
    list(site.engine.events(job, timeout=60))
    page = browser.new_page(reduced_motion="no-preference")
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{site.url}?job={job}")
    expect(page.locator(".summary")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("tab", name=texts.VIDEO, exact=True).click()
    page.wait_for_function("document.querySelector('#video video')?.paused === false")
    page.close()
