"""One rendered scene in one safetensors file."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float16, Float32, UInt8
from safetensors.numpy import save_file

from recon.data.room_scenes import FORMAT
from recon.errors import FormatError
from recon.io.atomic import atomic_write

JPEG_QUALITY = 95


@dataclass(frozen=True)
class SceneArrays:
    """What a file holds; see `recon.data.room_scenes` for the meaning."""

    images: UInt8[np.ndarray, "views size size 3"]
    inverse_depth: Float16[np.ndarray, "views size size"]
    cam_from_world: Float32[np.ndarray, "views 4 4"]
    K: Float32[np.ndarray, "views 3 3"]


def write_scene(path: Path, scene: SceneArrays, metadata: dict[str, str]) -> None:
    """Write a scene whole or not at all.

    Raises:
        FormatError: The JPEG encoder refused a picture.
        ExportError: The disk did not take the file.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    streams = []
    for image in scene.images:
        done, data = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), options)
        if not done:
            raise FormatError(f"{path}: a picture of shape {image.shape} could not be encoded as JPEG")
        streams.append(data.reshape(-1))
    offsets = np.cumsum([0, *(len(s) for s in streams)]).astype(np.int64)
    tensors = {
        "jpeg": np.concatenate(streams),
        "jpeg_offsets": offsets,
        "inverse_depth": scene.inverse_depth,
        "cam_from_world": scene.cam_from_world,
        "K": scene.K,
    }
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, metadata={"format": FORMAT, **metadata})
