"""What is said of uploads before a job, and what numbers alone say of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.web import texts

WarningKind = Literal["contents", "broken", "few", "blurry", "dark", "alike", "apart", "sizes"]
FEW = 6
NAMES_SHOWN = 4


@dataclass(frozen=True)
class PhotographWarning:
    """One thing that looks wrong.

    Attributes:
        kind: What it is; "contents" is no warning: it says what a video or an archive holds.
        words: For people, with what to do.
        names: Of the photographs that are meant; none if all are.
    """

    kind: WarningKind
    words: str
    names: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def few(num: int) -> PhotographWarning | None:
    """The warning about so few photographs; None if there are enough."""
    if num >= FEW:
        return None
    return PhotographWarning("few", texts.FEW.format(num=num))


def differing_sizes(sizes: Sequence[tuple[int, int]]) -> PhotographWarning | None:
    """The warning about photographs of several sizes; None if they have one, whichever way the camera was held."""
    found = {tuple(sorted(size)) for size in sizes}
    if len(found) < 2:
        return None
    listed = ", ".join(f"{long} x {short}" for short, long in sorted(found, reverse=True)[:NAMES_SHOWN])
    return PhotographWarning("sizes", texts.SIZES.format(num=len(found), listed=listed))
