"""What happens to a draft: looked at once for each set of photographs, however often they are moved."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.web import texts
from app.web.engine import Engine, Findings
from tests.app.web.page.conftest import Site
from tests.browsing import chromium, sample_files

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
        page.locator("#drop input[type=file]").set_input_files([str(path) for path in sample_files(3)])
        names = page.locator("#strip .name")
        expect(page.locator("#notes")).to_contain_text("seen 1 times", timeout=PATIENCE_MS)
        page.get_by_role("button", name="Move room_03.jpg forward").click(force=True)
        expect(names).to_have_text(["room_01.jpg", "room_03.jpg", "room_02.jpg"], timeout=PATIENCE_MS)
        page.get_by_role("button", name="Remove room_01.jpg").click(force=True)
        expect(page.locator("#notes")).to_contain_text("seen 2 times", timeout=PATIENCE_MS)
    assert looked == [["room_01.jpg", "room_02.jpg", "room_03.jpg"], ["room_03.jpg", "room_02.jpg"]]
