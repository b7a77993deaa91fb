from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from recon.data.captures.capture import Capture
from recon.data.scene_batches import DataConfig, SceneBatches
from recon.data.views.config import ViewsConfig
from recon.data.views.whole_span import RandomSpan
from recon.errors import FormatError, InputError, UnusableCaptureError
from recon.types import Cameras

HEIGHT, WIDTH, FRAMES = 36, 64, 8


class Captures:
    """In memory; the red channel of a picture tells its capture, the green one its frame."""

    def __init__(self, num: int, faults: dict[int, Exception] | None = None):
        self.names = tuple(f"c{i}" for i in range(num))
        self.faults = faults or {}

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Capture:
        if index in self.faults:
            raise self.faults[index]
        pose = torch.eye(4).repeat(FRAMES, 1, 1)
        pose[:, 0, 3] = torch.arange(FRAMES) * 0.1
        K = torch.tensor([[50.0, 0, WIDTH / 2], [0, 50, HEIGHT / 2], [0, 0, 1]]).repeat(FRAMES, 1, 1)
        cameras = Cameras(pose, K, torch.tensor([WIDTH, HEIGHT]).repeat(FRAMES, 1))
        return Capture(self.names[index], cameras, _painter(index))


def _painter(capture: int) -> Callable[[int], np.ndarray]:
    def picture(frame: int) -> np.ndarray:
        return np.broadcast_to(np.array([capture, frame, 7], np.uint8), (HEIGHT, WIDTH, 3)).copy()

    return picture


CONFIG = DataConfig(size=(32, 48), batch_size=4, colour_jitter=0.0, seed=5)


def captures_of(batch) -> list[int]:
    return (batch.images[:, 0, 0, 0, 0] * 255).round().int().tolist()


def test_a_batch_depends_on_its_numbers_alone() -> None:
    one, again = (SceneBatches(Captures(9), CONFIG, augment=True) for _ in range(2))
    again[[0, 1, 2, 3]]
    for a, b in zip(one[[8, 9, 10, 11]], again[[8, 9, 10, 11]], strict=True):
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def test_a_step_has_the_same_samples_however_they_are_divided() -> None:
    data = SceneBatches(Captures(9), CONFIG, augment=True)
    whole = data[[4, 5, 6, 7]]
    parts = [data[[4, 5]], data[[6, 7]]]
    assert torch.equal(whole.images, torch.cat([p.images for p in parts]))
    assert torch.equal(whole.target_K, torch.cat([p.target_K for p in parts]))
    assert whole.names == parts[0].names + parts[1].names


def test_an_epoch_sees_every_capture_once_and_the_next_one_in_another_order() -> None:
    data = SceneBatches(Captures(8), CONFIG, augment=True)
    epochs = [captures_of(data[[8 * e, 8 * e + 1, 8 * e + 2, 8 * e + 3]]) for e in range(2)]
    epochs = [epochs[e] + captures_of(data[[8 * e + 4, 8 * e + 5, 8 * e + 6, 8 * e + 7]]) for e in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(8))
    assert epochs[0] != epochs[1]


def test_held_out_captures_come_in_order_and_whole() -> None:
    """Without augmentation the window is the largest of the wanted shape, in the middle."""
    batch = SceneBatches(Captures(8), CONFIG, augment=False)[[0, 1, 2, 3]]
    assert captures_of(batch) == [0, 1, 2, 3]
    scale = 32 / HEIGHT
    expected = torch.tensor([[50 * scale, 0, 24], [0, 50 * scale, 16], [0, 0, 1]])
    torch.testing.assert_close(batch.K[0, 0], expected, atol=0.2, rtol=1e-3)


def test_the_name_says_which_frames_are_shown() -> None:
    batch = SceneBatches(Captures(3), CONFIG, augment=False)[[0]]
    shown = (batch.images[0, :, 1, 0, 0] * 255).round().int().tolist()
    wanted = (batch.target_images[0, :, 1, 0, 0] * 255).round().int().tolist()
    assert batch.names == (f"c0 context {shown} target {wanted}",)


def test_unusable_captures_are_named_and_the_next_one_is_taken() -> None:
    faults = {1: UnusableCaptureError("too few frames", "3 frames"), 2: FormatError("torn")}
    data = SceneBatches(Captures(5, faults), CONFIG, augment=False)
    batch = data[[0, 1, 2, 3]]
    assert captures_of(batch) == [0, 3, 3, 3]
    assert batch.skipped == (("c1", "too few frames"), ("c2", "damaged file"))
    assert captures_of(data[[4, 5, 6, 7]]) == [4, 0, 3, 3]


class TornFrames(Captures):
    """Every second capture has a frame that cannot be decoded."""

    def __getitem__(self, index: int) -> Capture:
        capture = super().__getitem__(index)

        def picture(frame: int) -> np.ndarray:
            if index % 2 and frame == 3:
                raise FormatError("torn")
            return capture.picture(frame)

        return replace(capture, picture=picture)


def test_damaged_frames_do_not_make_batches_depend_on_what_was_read_before() -> None:
    seen = SceneBatches(TornFrames(6), CONFIG, augment=True)
    for step in range(5):
        seen[list(range(4 * step, 4 * step + 4))]
    fresh = SceneBatches(TornFrames(6), CONFIG, augment=True)
    for a, b in zip(seen[[20, 21, 22, 23]], fresh[[20, 21, 22, 23]], strict=True):
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


class TwoSizes(Captures):
    """Frames are wide and tall in turn."""

    def __getitem__(self, index: int) -> Capture:
        capture = super().__getitem__(index)
        return replace(capture, picture=lambda frame: np.zeros((36, 64, 3) if frame % 2 else (64, 36, 3), np.uint8))


def test_pictures_of_several_sizes_are_left_out_by_name() -> None:
    with pytest.raises(InputError, match="3 x pictures of several sizes"):
        SceneBatches(TwoSizes(3), CONFIG, augment=True)[[0]]


def test_held_out_batches_are_the_same_whatever_training_is_like() -> None:
    """Number of views and frames too: figures of runs with other batches and seeds can be compared."""
    one = SceneBatches(Captures(8), CONFIG, augment=False)
    other = SceneBatches(Captures(8), replace(CONFIG, batch_size=64, seed=9), augment=False)
    assert [one[[i, i + 1]].names for i in range(0, 16, 2)] == [other[[i, i + 1]].names for i in range(0, 16, 2)]


def test_a_data_set_without_usable_captures_is_refused() -> None:
    faults: dict[int, Exception] = {i: UnusableCaptureError("pose", "NaN") for i in range(150)}
    with pytest.raises(InputError, match="100 captures in a row cannot be used: 100 x pose; the first: NaN"):
        SceneBatches(Captures(150, faults), CONFIG, augment=True)[[0]]
    with pytest.raises(InputError, match="no capture"):
        SceneBatches(Captures(0), CONFIG, augment=True)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"batch_size": 0}, "batch_size"), ({"smallest_crop": 0.0}, "smallest_crop"), ({"size": (8, 64)}, "size")],
)
def test_settings_without_sense_are_refused(change: dict, named: str) -> None:
    with pytest.raises(InputError, match=named):
        SceneBatches(Captures(3), replace(CONFIG, **change), augment=True)


def test_captures_that_are_too_short_for_the_sampler_are_left_out() -> None:
    views = ViewsConfig(random_span=RandomSpan(num_context=(8,), num_targets=1))
    with pytest.raises(InputError, match="too few frames"):
        SceneBatches(Captures(3), replace(CONFIG, views=views), augment=True)[[0]]
