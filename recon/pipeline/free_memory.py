"""Memory that a run may take: what the machine has free, or less where the process is in a container with a limit.

Containers are control groups of Linux, version 2 (https://docs.kernel.org/admin-guide/cgroup-v2.html, memory.max,
memory.current and memory.stat). What a group keeps of files that nobody waits for counts as free, as it does outside.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

GROUPS, OWN_GROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def free_memory_bytes(groups: Path = GROUPS, own_group: Path = OWN_GROUP) -> int:
    """Bytes that this process can still get.

    Args:
        groups: Where the hierarchy of control groups is mounted.
        own_group: File that says which one this process is in.
    """
    return min(psutil.virtual_memory().available, *_left_in_groups(groups, own_group))


def _left_in_groups(groups: Path, own_group: Path) -> Iterator[int]:
    """What is left to the group of this process, and to each group around it that has a limit."""
    yield 2**63
    with suppress(OSError):
        (line,) = [line for line in own_group.read_text().splitlines() if line.startswith("0::")][:1] or ["0::/"]
        group = groups / line.removeprefix("0::").strip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(groups):
                break
            # The path is that of the host where the namespace is not the container's own; its folders are not there.
            with suppress(OSError, ValueError):
                limit = int((folder / "memory.max").read_text())  # "max" is no limit
                used = int((folder / "memory.current").read_text())
                yield max(0, limit - used + _unneeded_files(folder / "memory.stat"))


def _unneeded_files(stat: Path) -> int:
    named = dict(line.split() for line in stat.read_text().splitlines())
    return int(named.get("inactive_file", 0))
