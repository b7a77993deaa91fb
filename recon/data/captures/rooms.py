"""Our own rendered rooms as captures, with their depth."""

from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from recon.data.captures.capture import Capture
from recon.data.captures.checks import DEFAULT_CHECKS, CaptureChecks, check_cameras
from recon.data.room_scenes import RoomScene, RoomScenes
from recon.types import Cameras


class RoomCaptures:
    """Scenes that `scripts/prepare_rooms` wrote; poses in metres.

    Args:
        folder: Holds a folder for each split.
        split: "train" or "val".
        checks: What is not used.

    Raises:
        InputError: There is no such folder, or no scene in it yet.
    """

    def __init__(self, folder: Path | str, split: str = "train", *, checks: CaptureChecks = DEFAULT_CHECKS):
        self._scenes = RoomScenes(folder, split)
        self.names, self.checks = self._scenes.names, checks

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> Capture:
        """The scene at `index`, read whole: a file holds eight small pictures.

        Raises:
            UnusableCaptureError: See `recon.data.captures.checks`.
            FormatError: The file is not a cached scene.
        """
        scene = self._scenes[index]
        height, width = scene.images.shape[-2:]
        size = torch.tensor([width, height]).repeat(len(scene.images), 1)
        cameras = Cameras(scene.cam_from_world.float(), scene.K.float(), size)
        cameras = check_cameras(scene.name, cameras, self.checks)
        return Capture(scene.name, cameras, partial(_picture, scene), partial(_inverse_depth, scene))


def _picture(scene: RoomScene, frame: int) -> UInt8[ndarray, "height width 3"]:
    return scene.images[frame].permute(1, 2, 0).numpy()


def _inverse_depth(scene: RoomScene, frame: int) -> Float[Tensor, "height width"]:
    return scene.inverse_depth[frame]
