"""A camera path from a file in the form of transforms.json, where no photograph has to be there."""

from pathlib import Path
from typing import Any

import torch

from recon.errors import FormatError, LimitError
from recon.io.json_file import read_json
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.transforms_intrinsics import read_lens
from recon.io.transforms_json import read_pose
from recon.types import Cameras

MAX_FRAMES = 20_000


def read_camera_path(path: Path, default_size: tuple[int, int], *, limits: Limits = DEFAULT_LIMITS) -> Cameras:
    """Cameras in the order of the file, in the frame and scale of the scene that they fly through.

    `transform_matrix` is camera-to-world with OpenGL axes; intrinsics stand in each frame or once for all. Lens
    distortion is refused, for Gaussians are rendered by pinholes.

    Args:
        path: The JSON file.
        default_size: Width and height where the file states none.
        limits: Bounds on its size.

    Raises:
        InputError: The file cannot be read.
        FormatError: A field is missing or has no meaning.
        GeometryError: A pose is not a rigid motion; the message names the frame.
        LimitError: The file is too large or holds more than MAX_FRAMES frames.
    """
    content = read_json(path, limits=limits)
    frames = content.get("frames")
    if not (isinstance(frames, list) and frames and all(isinstance(frame, dict) for frame in frames)):
        raise FormatError(f'{path}: "frames" is not a list of objects', hint="expected the form of transforms.json")
    if len(frames) > MAX_FRAMES:
        raise LimitError(f"{path}: {len(frames):,} frames, at most {MAX_FRAMES:,} are allowed")
    shared = {name: value for name, value in content.items() if name != "frames"}
    return _cameras(path, [{"file_path": str(i)} | shared | frame for i, frame in enumerate(frames)], default_size)


def _cameras(path: Path, frames: list[dict[str, Any]], default_size: tuple[int, int]) -> Cameras:
    poses, matrices, sizes = [], [], []
    for frame in frames:
        where = f"{path}: frame {frame['file_path']}"
        lens = read_lens(where, frame, default_size)
        if any(lens.distortion):
            raise FormatError(
                f"{where}: states lens distortion", hint="a path is flown by pinholes; leave k1 to p2 out"
            )
        (fx, fy), (cx, cy) = lens.focal, lens.center
        poses.append(read_pose(path, frame))
        matrices.append([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
        sizes.append([round(side) for side in lens.size])
    return Cameras(torch.stack(poses).float(), torch.tensor(matrices), torch.tensor(sizes)).validate()
