"""The page as people use it, in Chromium, with a worker that plays a small scene back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.web import texts
from tests.app.web.page.conftest import Site
from tests.browsing import canvas_colors, chromium, complaints_of, sample_files, upload_all

PATIENCE_MS = 60_000
"""For machines that do much else; nothing here waits for long on an idle one."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    yield context.new_page()
    context.close()


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#run")).to_have_text(texts.RUN, timeout=PATIENCE_MS)
    expect(page.locator("#example button")).to_be_visible(timeout=PATIENCE_MS)


def run_to_the_end(page: Page) -> None:
    page.get_by_role("button", name=texts.RUN).click()
    expect(page.locator(".summary")).to_be_visible(timeout=PATIENCE_MS)


def test_from_the_sample_to_a_scene_that_is_drawn(site: Site, page: Page) -> None:
    complaints = complaints_of(page)
    open_page(page, site.url)
    page.locator("#example button").click()
    expect(page.locator("#strip li")).to_have_count(10)
    run_to_the_end(page)
    assert "job=" in page.url
    frame = page.frame_locator("#look iframe")
    expect(frame.locator("body[data-ready=yes]")).to_be_attached(timeout=PATIENCE_MS)
    page.wait_for_timeout(500)
    assert canvas_colors(frame.locator("#canvas").screenshot()) > 20
    expect(frame.locator("#photographs button")).to_have_count(3)
    assert complaints == []


@pytest.mark.slow
def test_every_tab_shows_its_content(site: Site, page: Page) -> None:
    open_page(page, site.url)
    upload_all(page, sample_files(2))
    run_to_the_end(page)
    page.get_by_role("tab", name=texts.VIDEO).click()
    width = "v => new Promise((r) => (v.videoWidth ? r(v.videoWidth) : (v.onloadeddata = () => r(v.videoWidth))))"
    assert page.locator("#video video").evaluate(width) > 0
    page.get_by_role("tab", name=texts.PHOTOGRAPHS_TAB).click()
    expect(page.locator("#photographs tbody tr")).to_have_count(4)
    expect(page.locator("#photographs")).to_contain_text("d.jpg")
    expect(page.locator("#photographs")).to_contain_text("shows nothing of the others")
    page.locator(".compare input").fill("80")
    assert page.locator("#compare").evaluate("e => e.style.getPropertyValue('--at')") == "80%"
    page.get_by_role("tab", name=texts.DEPTH).click()
    expect(page.locator("#depth figure")).to_have_count(3)
    page.get_by_role("tab", name=texts.QUALITY_TAB, exact=True).click()
    expect(page.locator("#quality")).to_contain_text("3 of 4")
    expect(page.locator("#quality")).to_contain_text("+5.5 dB")
    page.get_by_role("tab", name=texts.FILES, exact=True).click()
    expect(page.locator("#files")).to_contain_text("recon reconstruct photos -o scene")
    with page.expect_download() as download:
        page.locator("#files a", has_text="gaussians.ply").click()
    assert Path(download.value.path()).read_bytes().startswith(b"ply\n")


@pytest.mark.slow
def test_a_photograph_leads_the_viewer_to_its_place(site: Site, page: Page) -> None:
    open_page(page, site.url)
    upload_all(page, sample_files(2))
    run_to_the_end(page)
    frame = page.frame_locator("#look iframe")
    expect(frame.locator("body[data-ready=yes]")).to_be_attached(timeout=PATIENCE_MS)
    page.get_by_role("tab", name=texts.PHOTOGRAPHS_TAB).click()
    page.get_by_role("button", name=texts.LOOK_FROM).nth(2).click()
    expect(frame.locator("#view")).to_contain_text("3 / 3")


def test_files_are_filtered_again_without_another_run(site: Site, page: Page) -> None:
    open_page(page, site.url)
    upload_all(page, sample_files(2))
    run_to_the_end(page)
    page.get_by_role("tab", name=texts.FILES, exact=True).click()
    page.get_by_text(texts.REFILTER).click()
    page.get_by_role("button", name=texts.REFILTER_RUN).click()
    expect(page.locator("#filtered")).to_contain_text(texts.REFILTERED.format(kept=2, total=2), timeout=PATIENCE_MS)
    expect(page.locator("#filtered a", has_text="gaussians.ply")).to_be_visible()


def test_stopping(make_site: Callable[..., Site], page: Page) -> None:
    site = make_site("endless_worker")
    open_page(page, site.url)
    upload_all(page, sample_files(2))
    page.get_by_role("button", name=texts.RUN).click()
    page.get_by_role("button", name=texts.CANCEL).click(timeout=PATIENCE_MS)
    expect(page.locator("#status")).to_contain_text(texts.CANCELLED_TITLE, timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name=texts.RUN)).to_be_enabled()


@pytest.mark.slow
def test_the_address_leads_back_to_the_job(site: Site, browser: Browser, page: Page) -> None:
    open_page(page, site.url)
    upload_all(page, sample_files(2))
    run_to_the_end(page)
    other = browser.new_context().new_page()
    other.goto(page.url)
    expect(other.locator(".summary")).to_be_visible(timeout=PATIENCE_MS)
    other.goto(f"{site.url}?job={'x' * 32}")
    expect(other.locator("#status")).to_contain_text(texts.GONE_TITLE, timeout=PATIENCE_MS)
    other.context.close()


def test_what_cannot_be_used_is_told_in_words(site: Site, page: Page, tmp_path: Path) -> None:
    bad = tmp_path / "<img src=x onerror=document.title='run'>.jpg"
    bad.write_text("no picture")
    open_page(page, site.url)
    upload_all(page, [bad, *sample_files(1)])
    expect(page.locator("#notes")).to_contain_text("1 of 2 files can be used", timeout=PATIENCE_MS)
    page.get_by_role("button", name=texts.RUN).click()
    expect(page.locator("#status")).to_contain_text(texts.FAILED_TITLE)
    assert page.title() == texts.TITLE
    assert page.locator("#strip img[onerror], #status img, #notes img").count() == 0


@pytest.mark.slow
def test_photographs_are_reordered_and_removed(site: Site, page: Page) -> None:
    open_page(page, site.url)
    upload_all(page, sample_files(3))
    names = page.locator("#strip .name")
    assert names.all_text_contents() == ["room_01.jpg", "room_02.jpg", "room_03.jpg"]
    page.get_by_role("button", name="Move room_03.jpg forward").click(force=True)
    expect(names).to_have_text(["room_01.jpg", "room_03.jpg", "room_02.jpg"])
    page.locator("#strip li").nth(2).drag_to(page.locator("#strip li").nth(0))
    expect(names).to_have_text(["room_02.jpg", "room_01.jpg", "room_03.jpg"])
    page.get_by_role("button", name="Remove room_01.jpg").click(force=True)
    expect(names).to_have_text(["room_02.jpg", "room_03.jpg"])
    page.get_by_role("button", name=texts.CLEAR).click()
    expect(page.locator("#strip li")).to_have_count(0)
    expect(page.get_by_role("button", name=texts.RUN)).to_be_disabled()


TABS = [texts.LOOK, texts.VIDEO, texts.PHOTOGRAPHS_TAB, texts.DEPTH, texts.QUALITY_TAB, texts.FILES]
LOOKS = [
    pytest.param(390, "dark"),
    *[pytest.param(*look, marks=pytest.mark.slow) for look in ((390, "light"), (1400, "dark"), (1400, "light"))],
]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_nothing_is_cut_off_and_words_can_be_read(
    site: Site, finished_job: str, browser: Browser, width: int, scheme: str
) -> None:
    """Of the first look and of every tab of a result."""
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)  # pyright: ignore
    page, first = context.new_page(), context.new_page()
    complaints, first_complaints = complaints_of(page), complaints_of(first)
    open_page(first, site.url)
    expect(first.locator(".welcome")).to_be_visible()
    assert not is_cut_off(first, width)
    assert contrast(*colors(first, ".welcome .lead", ".welcome")) > 4.5
    assert first_complaints == []
    first.close()
    page.goto(f"{site.url}?job={finished_job}")
    expect(page.locator(".summary")).to_be_visible(timeout=PATIENCE_MS)
    assert contrast(*colors(page, ".summary .soft", "body")) > 4.5
    looked_at = []
    for title in TABS:
        open_tab(page, title)
        page.wait_for_timeout(100)
        looked_at += [title] * (not is_cut_off(page, width))
    assert looked_at == TABS
    assert complaints == []
    context.close()


@pytest.fixture(scope="module")
def finished_job(site: Site) -> str:
    job = site.engine.submit(sample_files(2))
    list(site.engine.events(job, timeout=60))
    return job


def open_tab(page: Page, title: str) -> None:
    """Where there is no room for all of them, some are in a menu; which, is not known until the page was measured."""
    in_menu = page.locator(".overflow-dropdown button")
    expect(page.get_by_role("tab").filter(visible=True).or_(in_menu)).to_have_count(len(TABS))
    tab = page.get_by_role("tab", name=title, exact=True)
    if not tab.is_visible():
        page.locator(".overflow-menu > button").click()
        in_menu.filter(has_text=title).click()
        return
    tab.click()


def is_cut_off(page: Page, width: int) -> bool:
    """Whether the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth") > width


def colors(page: Page, words: str, box: str) -> list[str]:
    """Of words, and of the box that they stand in."""
    return page.evaluate(
        """([words, box]) => [getComputedStyle(document.querySelector(words)).color,
                              getComputedStyle(document.querySelector(box)).backgroundColor]""",
        [words, box],
    )


def test_the_keyboard_is_enough(site: Site, page: Page) -> None:
    open_page(page, site.url)
    expect(page.locator("#example button")).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#example') !== null"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#strip li")).to_have_count(10)
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id === 'run' || document.activeElement.closest('#run') !== null"):
            break
    page.keyboard.press("Enter")
    expect(page.locator(".summary")).to_be_visible(timeout=PATIENCE_MS)


def contrast(ink: str, paper: str) -> float:
    """Contrast ratio of WCAG 2."""
    import re

    def luminance(color: str) -> float:
        values = [float(v) / 255 for v in re.findall(r"[\d.]+", color)[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (high + 0.05) / (low + 0.05)
