"""The sentences of the page."""

import ast
from collections import Counter
from pathlib import Path

from app.web import texts


def test_no_sentence_takes_the_name_of_another():
    tree = ast.parse(Path(texts.__file__).read_text(encoding="utf-8"))
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    names = Counter(
        name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
    )  # fmt: skip
    assert len(names) > 50
    assert [name for name, times in names.items() if times > 1] == []
