"""What is shown while a job waits and works, and where it ends without a scene."""

from dataclasses import dataclass, replace

from app.web import texts
from app.web.jobs.events import Cancelled, Event, Failed, Made, Progress, Started, Waiting
from app.web.page.markup import duration, tag, text
from recon.pipeline.stages import STAGES


@dataclass(frozen=True)
class Shown:
    """A job as the page last told it.

    Attributes:
        job: Its id.
        position: In the queue, 1 for the next; None once it runs.
        progress: What was said last.
        stages: Keys of the stages that were begun.
        made: What can be looked at already: "poses", "gaussians", "refinement".
        end: `Failed` or `Cancelled`.
    """

    job: str
    position: int | None = None
    progress: Progress | None = None
    stages: frozenset[str] = frozenset()
    made: str | None = None
    end: Failed | Cancelled | None = None

    def after(self, event: Event) -> "Shown":
        """With one more event."""
        if isinstance(event, Waiting):
            return replace(self, position=event.position)
        if isinstance(event, Started):
            return replace(self, position=None)
        if isinstance(event, Progress):
            return replace(self, progress=event, position=None, stages=self.stages | {event.stage})
        if isinstance(event, Made):
            return replace(self, made=event.what)
        return replace(self, end=event) if isinstance(event, (Failed, Cancelled)) else self


def progress_card(shown: Shown, hours: float) -> str:
    """HTML: stage, bar, remaining time, list of stages.

    Args:
        shown: The job.
        hours: How long its results are kept.
    """
    progress = shown.progress
    begun = next((stage.words for stage in STAGES if progress and stage.name == progress.stage), texts.STARTING)
    fraction = progress.fraction if progress else None
    if shown.position is not None:
        head = texts.WAITING_FIRST if shown.position <= 1 else texts.WAITING.format(num=shown.position - 1)
        detail, left = "", ""
    else:
        head, detail = begun, progress.message if progress else ""
        left = time_left(progress.seconds_left) if progress else ""
    line = tag("b", text(head)) + tag("span", text(left), class_="soft")
    percent = None if fraction is None else round(100 * min(max(fraction, 0.0), 1.0))
    bar = tag(
        "div", tag("i", style=None if percent is None else f"width: {percent}%"),
        class_="track unknown" if percent is None else "track",
        role="progressbar", aria_label=head, aria_valuemin=0, aria_valuemax=100, aria_valuenow=percent,
    )  # fmt: skip
    parts = [
        tag("div", line, class_="line"),
        bar,
        tag("p", text(detail), class_="soft small"),
        tag("ol", _stages(shown), class_="stages"),
        tag("p", text(texts.KEEP.format(time=duration(3600 * hours))), class_="soft small"),
    ]
    return tag("section", "".join(parts), class_="card progress", data_job=shown.job, data_say=head)


def end_card(end: Failed | Cancelled) -> str:
    """HTML: why there is no scene, and what to do."""
    if isinstance(end, Cancelled):
        words = tag("h2", text(texts.CANCELLED_TITLE)) + tag("p", text(texts.CANCELLED))
        return tag("section", words, class_="card", data_say=texts.CANCELLED_TITLE)
    words = tag("h2", text(texts.FAILED_TITLE)) + tag("pre", text(end.message)) + tag("p", text(end.hint))
    say = f"{texts.FAILED_TITLE}. {end.message}. {end.hint}"
    return tag("section", words, class_="card failed", data_say=say)


def gone_card() -> str:
    """HTML: a job that is no longer kept."""
    words = tag("h2", text(texts.GONE_TITLE)) + tag("p", text(texts.GONE))
    return tag("section", words, class_="card", data_say=f"{texts.GONE_TITLE}. {texts.GONE}")


def time_left(seconds: float | None) -> str:
    """In words, no more exact than it is known."""
    if seconds is None:
        return texts.LEFT_UNKNOWN
    if seconds < 90:
        return texts.LEFT_SECONDS.format(num=max(5 * round(seconds / 5), 5))
    return texts.LEFT_MINUTES.format(num=round(seconds / 60))


def _stages(shown: Shown) -> str:
    """Those that are done, the one that runs, and those to come; one that was passed over is left out."""
    names = [stage.name for stage in STAGES]
    at = names.index(shown.progress.stage) if shown.progress and shown.progress.stage in names else -1
    items = []
    for i, stage in enumerate(STAGES):
        if i < at and stage.name not in shown.stages:
            continue
        kind = "done" if i < at else "now" if i == at else "next"
        items.append(tag("li", text(stage.words), class_=kind, aria_current="step" if kind == "now" else None))
    return "".join(items)
