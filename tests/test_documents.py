"""What the documents say is run, or compared with the code."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from app.options import ReconstructOptions

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MARKED = re.compile(r"^<!-- test(?P<slow>: slow)? -->\n```(?P<language>bash|python)\n(?P<code>.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


class Block(NamedTuple):
    """A code block that its document marks with `<!-- test -->` or `<!-- test: slow -->`."""

    name: str
    language: str
    code: str
    slow: bool


def blocks_of(document: Path) -> list[Block]:
    text = document.read_text(encoding="utf-8")
    return [
        Block(f"{document.name}:{text[: m.start()].count(chr(10)) + 1}", m["language"], m["code"], bool(m["slow"]))
        for m in MARKED.finditer(text)
    ]


BLOCKS = [block for document in DOCUMENTS for block in blocks_of(document)]


def run(block: Block, folder: Path) -> None:
    """Run in an empty folder that only has `datasets`, with `recon` on the path."""
    (folder / "datasets").symlink_to(ROOT / "datasets")
    interpreter = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-W", "error", "-c"]}
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*interpreter[block.language], block.code],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block.name}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("block", [b for b in BLOCKS if not b.slow], ids=lambda b: b.name)
def test_code_blocks_run(block: Block, tmp_path: Path) -> None:
    run(block, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("block", [b for b in BLOCKS if b.slow], ids=lambda b: b.name)
def test_long_code_blocks_run(block: Block, tmp_path: Path) -> None:
    run(block, tmp_path)


def test_there_are_blocks_of_both_kinds() -> None:
    assert {(block.language, block.slow) for block in BLOCKS} >= {("bash", False), ("python", False), ("python", True)}


def test_readme_opens_with_the_two_commands() -> None:
    first = re.search(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert first is not None
    commands = [line.split("#")[0].strip() for line in first.group(1).splitlines()]
    assert commands == ["./scripts/quickstart", "./scripts/test"]
    for command in commands:
        assert os.access(ROOT / command, os.X_OK)


def test_readme_tells_every_option_and_its_default() -> None:
    table = dict(re.findall(r"^\| (.*?--\w+.*?) \| (.*?) \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    told = {re.findall(r"--(\w+)", cell)[0]: default.strip("` ") for cell, default in table.items()}
    shown = {"tuple": ",".join, "NoneType": lambda _: "-", "bool": lambda _: "off"}
    fields = ReconstructOptions.__dataclass_fields__.values()
    expected = {
        f.name: shown.get(type(f.default).__name__, str)(f.default) for f in fields if f.name not in ("input", "out")
    }
    assert {name: told.get(name) for name in expected} == expected
    assert {"out", "json", "quiet"} <= set(told)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_links_and_named_files_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert [link for link in LINK.findall(text) if not (document.parent / link).exists()] == []
    named = re.findall(r"`((?:recon|models|app|configs|datasets|scripts|tests|docs)/[\w./-]+)`", text)
    assert [name for name in named if not (ROOT / name).exists() and "NAME" not in name] == []
