"""docs/blocks.md tells of every part that there is, and of every paper that it owes an answer."""

import json
import re
from pathlib import Path

import pytest

from models.layers.attentions import ATTENTIONS
from models.layers.feedforwards import FEED_FORWARDS
from models.layers.heads import HEADS
from models.layers.linears import LINEARS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "blocks.md").read_text(encoding="utf-8")
PAPERS = {
    paper["number"]: paper["name"]
    for paper in json.loads((ROOT / "tests" / "fixtures" / "papers.json").read_text(encoding="utf-8"))
}
"""Of the reading list of 119, those that promise something for reconstruction."""
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| (built|set aside) \| ([^|]+) \|$", re.MULTILINE)
ANSWERS = {int(number): (name, verdict, why) for number, name, verdict, why in ROW.findall(TEXT)}
FILE = re.compile(r"`([\w/.-]+/[\w.-]+\.py)`")
SHORT_NAMES = (
    "Masked G", "SNNK", "PK", "BSRBF-KAN", "Trainable matrix act", "projection variants", "LoTR", "LoQT", "Surgical",
    "spectrum", "DCT", "Gradient noise", "Effective theory", "Gram", "GBLR", "FFN Fusion",
)  # fmt: skip


def test_the_list_of_papers_is_whole() -> None:
    assert len(PAPERS) == 79
    assert [name for name in SHORT_NAMES if not any(name in paper for paper in PAPERS.values())] == []


def test_every_paper_has_one_answer() -> None:
    assert {number: name for number, (name, _, _) in ANSWERS.items()} == PAPERS
    assert len(ROW.findall(TEXT)) == len(PAPERS)


@pytest.mark.parametrize("number", PAPERS)
def test_what_is_built_is_there_and_what_is_not_has_a_reason(number: int) -> None:
    _, verdict, why = ANSWERS[number]
    files = FILE.findall(why)
    assert [file for file in files if not (ROOT / file).is_file()] == []
    if verdict == "built":
        assert files
    else:
        assert len(why.split()) >= 10
        assert "ot yet measured" not in why


@pytest.mark.parametrize("catalogue", [LINEARS, FEED_FORWARDS, ATTENTIONS, HEADS])
def test_every_part_has_a_row_that_names_its_file(catalogue: dict) -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*`(models/layers/[\w/]+\.py)` \|$", TEXT, re.MULTILINE)
    named = {name for name, file in rows if (ROOT / file).is_file()}
    assert set(catalogue) <= named
