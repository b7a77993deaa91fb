"""One thing that is said of uploads before a job."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

WarningKind = Literal["contents", "broken", "few", "blurry", "dark", "alike", "apart", "sizes"]


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
