import logging

import pytest

from recon.pipeline.progress import LogObserver, ProgressEvent, Stages
from recon.pipeline.stages import STAGES, Stage

PLAN = (Stage("a", "First", 1.0), Stage("b", "Second", 3.0), Stage("c", "Third", 6.0))


class Watch:
    """Keeps what is said, and a clock that is set by hand."""

    def __init__(self):
        self.events: list[ProgressEvent] = []
        self.now = 100.0

    def announce(self, event):
        self.events.append(event)

    def poses(self, photographs, pose): ...

    def gaussians(self, stage, gaussians, views): ...

    def stages(self, plan=PLAN):
        return Stages(self, plan, lambda: self.now)


def test_time_left_follows_the_pace_so_far():
    """A tenth took 2 s, so nine tenths take 18 s; four tenths took 12 s, so six take 18 s."""
    watch = Watch()
    stages = watch.stages()
    with stages("a", "begin"):
        watch.now += 2
    with stages("b", "go on"):
        watch.now += 10
    with stages("c", "end"):
        pass
    assert [event.fraction for event in watch.events] == pytest.approx([0, 0.1, 0.4])
    assert watch.events[0].seconds_left is None
    assert [event.seconds_left for event in watch.events[1:]] == pytest.approx([18, 18])
    assert stages.seconds == {"a": 2, "b": 10, "c": 0}


def test_a_stage_that_knows_its_own_rest_is_believed():
    """2 s for a tenth; then half of 0.3 in 3 s with 3 s to go: 8 s for 0.4, so 0.6 takes 12 s more."""
    watch = Watch()
    stages = watch.stages()
    with stages("a", "begin"):
        watch.now += 2
    with stages("b", "go on"):
        watch.now += 3
        stages.say("half", done=0.5, seconds_left=3.0)
    assert watch.events[-1].fraction == pytest.approx(0.25)
    assert watch.events[-1].seconds_left == pytest.approx(3 + 12)


def test_a_stage_that_is_left_out_takes_no_time():
    watch = Watch()
    stages = watch.stages()
    with stages("a", "begin"):
        watch.now += 2
    stages.leave_out("b")
    with stages("c", "end"):
        pass
    assert (watch.events[-1].fraction, watch.events[-1].seconds_left) == pytest.approx((1 / 7, 12))


def test_words_between_stages_count_the_last_one_as_done():
    watch = Watch()
    stages = watch.stages()
    stages.say("before all")
    with stages("a", "begin"):
        watch.now += 2
    stages.say("between")
    assert watch.events[0] == ProgressEvent("", "before all")
    last = watch.events[-1]
    assert (last.stage, last.message) == ("a", "between")
    assert (last.fraction, last.seconds_left) == pytest.approx((0.1, 18))


def test_a_stage_that_is_not_in_the_plan_does_no_harm():
    watch = Watch()
    with watch.stages()("further", "something new"):
        pass
    assert watch.events[0].fraction == 0


def test_a_failed_stage_has_no_time():
    watch = Watch()
    stages = watch.stages()
    with pytest.raises(ValueError, match="broken"), stages("a", "begin"):
        raise ValueError("broken")
    assert stages.seconds == {}


def test_the_plan_has_each_stage_once_and_shares_that_make_a_whole():
    assert len({stage.name for stage in STAGES}) == len(STAGES)
    assert sum(stage.share for stage in STAGES) == pytest.approx(1)


def test_the_log_gets_the_words(caplog):
    with caplog.at_level(logging.INFO, "recon"):
        LogObserver().announce(ProgressEvent("load", "reading photos"))
    assert caplog.messages == ["reading photos"]
