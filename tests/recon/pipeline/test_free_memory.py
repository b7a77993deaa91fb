from pathlib import Path

import psutil
import pytest

from recon.pipeline.free_memory import free_memory_bytes


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    """A process in /box/inner; only the outer group has a limit."""
    for name, limit in (("box", "3000"), ("box/inner", "max")):
        folder = tmp_path / "cgroup" / name
        folder.mkdir(parents=True)
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text("1200\n")
        (folder / "memory.stat").write_text("anon 700\nfile 500\ninactive_file 200\n")
    (tmp_path / "own").write_text("0::/box/inner\n")
    return tmp_path / "cgroup"


def test_a_limit_around_the_process_counts(groups: Path) -> None:
    assert free_memory_bytes(groups, groups.parent / "own") == 3000 - 1200 + 200


def test_an_exhausted_group_has_nothing(groups: Path) -> None:
    (groups / "box" / "inner" / "memory.max").write_text("900")
    assert free_memory_bytes(groups, groups.parent / "own") == 0


@pytest.mark.parametrize("own", ["0::/elsewhere/than/here\n", "", "12:memory:/old\n"])
def test_without_a_limit_it_is_that_of_the_machine(groups: Path, own: str) -> None:
    (groups.parent / "own").write_text(own)
    found = free_memory_bytes(groups, groups.parent / "own")
    assert found == pytest.approx(psutil.virtual_memory().available, rel=0.2)
    assert free_memory_bytes(groups / "nowhere", groups / "nothing") > 2**20
