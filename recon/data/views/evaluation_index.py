"""Which frames of each capture published evaluations give and want."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from recon.data.captures.checks import MISSING_FRAMES
from recon.data.views.extra_views import evenly_between
from recon.data.views.selection import ViewSelection
from recon.errors import InputError, UnusableCaptureError

OverlapTag = Literal["small", "medium", "large"]


@dataclass(frozen=True)
class EvaluationEntry:
    """Frames of one capture.

    Attributes:
        context: Frames that are given, ascending.
        target: Frames to predict, ascending; empty where `target_every` says them.
        target_every: All frames whose number is a multiple of it are wanted.
        overlap: Share of each of the two context views that the other sees, where the index says it.
    """

    context: tuple[int, ...]
    target: tuple[int, ...] = ()
    target_every: int | None = None
    overlap: float | None = None

    @property
    def overlap_tag(self) -> OverlapTag | None:
        """Group by overlap as NoPoSplat tells them apart (section 4.1), None where it leaves the pair out.

        Its paper begins the groups at 0.05; pairs with less overlap are of medium overlap in its code, and so here.
        """
        if self.overlap is None or self.overlap > 0.8:
            return None
        if 0.05 <= self.overlap <= 0.3:
            return "small"
        return "medium" if self.overlap <= 0.55 else "large"


@dataclass(frozen=True)
class EvaluationIndex:
    """Fixed views for a data set.

    Attributes:
        form: Whose form of file it was read from.
        entries: Views by name of the capture.
        left_out: Captures that the index names but gives no views for; they are not evaluated.
    """

    form: str
    entries: Mapping[str, EvaluationEntry]
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.entries)

    def select(self, name: str, num_frames: int, num_context: int | None = None) -> ViewSelection:
        """Views of a capture.

        More context views than a pair has are put evenly between its two frames, rounded down, the nearest free frame
        where one is to be predicted, so that methods with more views see strictly more than those with two.

        Args:
            name: Of a capture in `entries`.
            num_frames: Frames that it has.
            num_context: Context views; None takes what the index says.

        Raises:
            UnusableCaptureError: The index does not name it, or it lacks frames that the index names.
            InputError: The index gives another number of context views, and not a pair.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise UnusableCaptureError(
                "not in the evaluation index", f"{name}: the evaluation index gives no views for it"
            )
        last = max(*entry.context, *entry.target)
        if last >= num_frames:
            raise UnusableCaptureError(
                MISSING_FRAMES,
                f"{name}: {num_frames} frames, expected at least {last + 1}: the evaluation index names frame {last}",
                hint="the capture must be complete and in its original order",
            )
        target = list(entry.target) if entry.target_every is None else list(range(0, num_frames, entry.target_every))
        return ViewSelection(_context(name, entry.context, num_context, target), target)


def _context(name: str, given: tuple[int, ...], wanted: int | None, target: list[int]) -> list[int]:
    if wanted is None or wanted == len(given):
        return list(given)
    if len(given) == 2 and wanted > 2:
        return evenly_between(given[0], given[1], wanted, avoid=target)
    raise InputError(
        f"{name}: {wanted} context views were asked for, and the evaluation index gives {len(given)}",
        hint="only pairs can be filled up; otherwise give an index made for this number of views",
    )
