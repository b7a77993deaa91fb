import re
from html.parser import HTMLParser

from app.web.jobs.events import Failed, Progress
from app.web.page.markup import duration, size, tag, text
from app.web.page.photographs import edited, strip, with_added
from app.web.page.progress import Shown, end_card, progress_card, time_left
from app.web.page.welcome import warning_box

HOSTILE = [
    "<img src=x onerror=alert(1)>.jpg",
    '"><script>alert(1)</script>.jpg',
    "' onmouseover='alert(1).jpg",
    "javascript:alert(1).jpg",
    "</li></ol><iframe src=//evil>.png",
    "a&lt;b.jpg",
    "{{constructor}}.webp",
    "${alert(1)}.jpg",
]


class Elements(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data


def test_names_of_files_are_words_and_never_markup() -> None:
    harmless = Elements(strip(["/tmp/a.jpg"], None)).tags
    for name in HOSTILE:
        found = Elements(strip([f"/tmp/x/{name}"], None))
        last = name.split("/")[-1]
        assert [t for t in found.tags if t not in harmless and t != "video"] == []
        assert [a for a, _ in found.attributes if a.startswith("on")] == []
        assert last in found.words
        for html in (
            end_card(Failed("InputError", name, name)),
            warning_box([name]),
            progress_card(Shown(name, progress=Progress("load", name)), 1),
        ):
            elements = Elements(html)
            assert not {"img", "script", "iframe"} & set(elements.tags)
            assert name in elements.words


def test_a_tag_closes_and_quotes() -> None:
    assert tag("p", text("a<b"), class_="x", hidden=None) == '<p class="x">a&lt;b</p>'
    assert tag("img", src='a"b', alt="") == '<img src="a&quot;b" alt="">'
    assert tag("video", controls=True, muted=False) == "<video controls></video>"


def test_sizes_and_durations_for_people() -> None:
    assert [size(n) for n in (0, 999, 1000, 47_000_656, 2_500_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "47.0 MB",
        "2.5 GB",
    ]
    assert [duration(s) for s in (0.2, 59.4, 60, 185, 3600, 5400)] == [
        "0 s",
        "59 s",
        "1 min",
        "3 min 5 s",
        "1 h",
        "1 h 30 min",
    ]
    assert time_left(3) == "about 5 s left"
    assert time_left(40) == "about 40 s left"
    assert time_left(150) == "about 2 min left"
    assert not re.search(r"\d", time_left(None))


def test_photographs_are_added_once_in_natural_order_after_those_that_are_there() -> None:
    assert with_added(["/x/z.jpg"], ["/x/10.jpg", "/x/9.jpg", "/x/z.jpg", "/x/9.jpg"]) == [
        "/x/z.jpg",
        "/x/9.jpg",
        "/x/10.jpg",
    ]


def test_photographs_are_moved_and_removed() -> None:
    files = ["a", "b", "c"]
    assert edited(files, "earlier", 2) == ["a", "c", "b"]
    assert edited(files, "later", 0) == ["b", "a", "c"]
    assert edited(files, "move", 0, 2) == ["b", "c", "a"]
    assert edited(files, "remove", 1) == ["a", "c"]
    assert edited(files, "clear", 0) == []


def test_what_a_client_makes_up_changes_nothing() -> None:
    files = ["a", "b", "c"]
    for said in [
        ("remove", 3),
        ("remove", -1),
        ("remove", "0"),
        ("remove", None),
        ("remove", True),
        ("earlier", 0),
        ("later", 2),
        ("move", 0, 9),
        ("move", 0, "x"),
        ("eval", 0),
        (None, 0),
        ({"a": 1}, 0),
        ("move", 0, None),
    ]:
        assert edited(files, *said) == files


def test_progress_shows_what_is_done_what_runs_and_what_comes() -> None:
    shown = Shown("id").after(Progress("load", "")).after(Progress("poses", ""))
    card = progress_card(shown.after(Progress("gaussians", "group 1 of 2", 0.3, 100.0)), 1)
    kinds = re.findall(r'<li class="(\w+)"', card)
    assert kinds == ["done", "done", "now", "next", "next"]
    passed_over = progress_card(shown.after(Progress("export", "")), 1)
    assert re.findall(r'<li class="(\w+)"', passed_over) == ["done", "done", "now"]
    assert 'aria-valuenow="30"' in card
    assert "about 2 min left" in card
    assert 'data-job="id"' in card
    assert "1 before you" in progress_card(Shown("id", position=2), 1)
