import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon.errors import LimitError
from recon.io.frames.windows import Candidate, SharpestFrames


def choose(
    frames: list[Candidate[str]], window: float, capacity: int = 1000, join: bool = True, num: int | None = None
):
    """The chosen frames, and those that lie on the disk in the end, and the most that lay there."""
    stored: set[int] = set()
    most = 0

    def store(frame: Candidate[str]) -> None:
        nonlocal most
        stored.add(frame.index)
        most = max(most, len(stored))

    chosen = SharpestFrames[str](
        window, capacity, join=join, store=store, drop=lambda frame: stored.remove(frame.index)
    )
    for frame in frames:
        chosen.offer(frame)
    return chosen.finish(num), stored, most


def frames_at(times: list[float], sharpness: list[float]) -> list[Candidate[str]]:
    return [Candidate(i, t, s, "") for i, (t, s) in enumerate(zip(times, sharpness, strict=True))]


def test_sharpest_of_each_window():
    frames = frames_at([0.0, 0.1, 0.9, 1.0, 1.5, 3.2], [1.0, 3.0, 2.0, 5.0, 4.0, 0.0])
    kept, stored, _ = choose(frames, 1.0)
    assert [frame.index for frame in kept] == [1, 3, 5]
    assert stored == {1, 3, 5}


def test_more_windows_than_allowed_are_refused_or_joined():
    frames = frames_at([float(i) for i in range(11)], [float(i % 5) for i in range(11)])
    with pytest.raises(LimitError, match="more than 10 frames"):
        choose(frames, 1.0, capacity=10, join=False)
    kept, _, _ = choose(frames, 1.0, capacity=10, join=True)
    assert [frame.index for frame in kept] == [1, 3, 4, 7, 9, 10]


@given(
    gaps=st.lists(st.floats(1e-3, 100), min_size=1, max_size=80),
    seed=st.randoms(use_true_random=False),
    window=st.floats(0.01, 10),
    num=st.integers(1, 12),
)
def test_never_more_than_wanted_in_order_and_nothing_left_behind(gaps, seed, window, num):
    times = [sum(gaps[: i + 1]) - gaps[0] for i in range(len(gaps))]
    frames = frames_at(times, [seed.random() for _ in gaps])
    kept, stored, most = choose(frames, window, capacity=3 * num, num=num)
    assert 1 <= len(kept) <= num
    assert [frame.index for frame in kept] == sorted({frame.index for frame in kept})
    assert stored == {frame.index for frame in kept}
    assert most <= 3 * num + 1
    assert max(frames, key=lambda frame: frame.sharpness) in kept
