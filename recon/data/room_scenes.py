"""Reading cached synthetic scenes (written by `recon.data.rooms.generate`)."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors import SafetensorError, safe_open
from torch import Tensor

from recon.errors import FormatError, InputError

FORMAT = "recon-room-1"
SUFFIX = ".safetensors"
TENSORS = frozenset({"jpeg", "jpeg_offsets", "inverse_depth", "cam_from_world", "K"})
HINT = "remove the file; it will be made anew"


@dataclass(frozen=True)
class RoomScene:
    """Pictures along a path through one scene.

    Attributes:
        images: sRGB, 0..255.
        inverse_depth: 1 / z-depth in 1/metres at pixel centres; 0 where only sky is seen.
        cam_from_world: World-to-camera, OpenCV axes, metres.
        K: Intrinsics in pixels, centre of the first pixel (0.5, 0.5).
        name: "SPLIT/NUMBER".
    """

    images: UInt8[Tensor, "views 3 height width"]
    inverse_depth: Float[Tensor, "views height width"]
    cam_from_world: Float[Tensor, "views 4 4"]
    K: Float[Tensor, "views 3 3"]
    name: str


class RoomScenes:
    """All scenes of a split, also while more are being written.

    Args:
        folder: The cache folder, which holds a folder for each split.
        split: "train" or "val".

    Raises:
        InputError: There is no such folder, or no scene in it yet.
    """

    def __init__(self, folder: Path | str, split: str):
        self.folder = Path(folder) / split
        self.split = split
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: no such folder", hint="run scripts/prepare_rooms first")
        self._paths: list[Path] = []
        self.refresh()

    def refresh(self) -> int:
        """Look for new scenes; returns their number in all. Known scenes keep their index only if none came before.

        Raises:
            InputError: There is no scene.
        """
        self._paths = sorted(self.folder.glob(f"*{SUFFIX}"))
        if not self._paths:
            raise InputError(f"{self.folder} holds no scene", hint="run scripts/prepare_rooms first")
        return len(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the scenes, in order."""
        return tuple(f"{self.split}/{path.stem}" for path in self._paths)

    def __getitem__(self, index: int) -> RoomScene:
        """The scene at `index`.

        Raises:
            FormatError: The file is not a cached scene.
        """
        path = self._paths[index]
        try:
            with safe_open(path, framework="pt") as stored:
                found = (stored.metadata() or {}).get("format")
                if found != FORMAT:
                    raise FormatError(f"{path}: format {found!r}, expected {FORMAT!r}")
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise FormatError(f"{path}: {error}", hint=HINT) from error
        if missing := sorted(TENSORS - tensors.keys()):
            raise FormatError(f"{path}: holds no {', '.join(missing)}", hint=HINT)
        if tensors["jpeg"].dtype != torch.uint8:
            raise FormatError(f"{path}: pictures are numbers of {tensors['jpeg'].dtype}, expected bytes", hint=HINT)
        images = _decode(path, tensors["jpeg"].numpy(), tensors["jpeg_offsets"].int().tolist())
        num, _, height, width = images.shape
        wanted = {"inverse_depth": (num, height, width), "cam_from_world": (num, 4, 4), "K": (num, 3, 3)}
        for name, shape in wanted.items():
            if tensors[name].shape != shape:
                found = tuple(tensors[name].shape)
                raise FormatError(f"{path}: {name} has shape {found}, expected {shape}", hint=HINT)
        numbers = {name: tensors[name].float() for name in wanted}
        return RoomScene(images=images, name=f"{self.split}/{path.stem}", **numbers)


def _decode(path: Path, data: UInt8[np.ndarray, " bytes"], offsets: list[int]) -> UInt8[Tensor, "views 3 height width"]:
    images = []
    for start, end in itertools.pairwise(offsets):
        image = cv2.imdecode(data[start:end], cv2.IMREAD_COLOR_RGB) if 0 <= start < end <= len(data) else None
        if image is None:
            raise FormatError(f"{path}: picture {len(images)} is not a JPEG", hint=HINT)
        images.append(image)
    if len({image.shape for image in images}) != 1:
        raise FormatError(f"{path}: {len(images)} pictures of several sizes, expected some of one size", hint=HINT)
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
