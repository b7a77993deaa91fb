"""Small valid things that harnesses write in their formats to get seeds."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from recon.types import Cameras, Gaussians


def small_gaussians(num: int, num_coefficients: int = 1) -> Gaussians:
    """Random ones."""
    generator = torch.Generator().manual_seed(num)
    return Gaussians(
        means=torch.randn(num, 3, generator=generator),
        scales=torch.rand(num, 3, generator=generator) + 0.1,
        quats=torch.nn.functional.normalize(torch.randn(num, 4, generator=generator), dim=1),
        opacities=torch.rand(num, generator=generator),
        sh=torch.randn(num, num_coefficients, 3, generator=generator),
    )


def small_cameras(num: int = 2, size: tuple[int, int] = (8, 6)) -> Cameras:
    """Side by side, looking along z."""
    cam_from_world = torch.eye(4).repeat(num, 1, 1)
    cam_from_world[:, 0, 3] = -0.1 * torch.arange(num)
    K = torch.tensor([[9.0, 0, size[0] / 2], [0, 9.0, size[1] / 2], [0, 0, 1]]).repeat(num, 1, 1)
    return Cameras(cam_from_world, K, torch.tensor([size]).repeat(num, 1))


def picture(mode: str = "RGB", size: tuple[int, int] = (8, 6)) -> Image.Image:
    """A gradient."""
    ramp = np.linspace(0, 255, size[0] * size[1] * 3, dtype=np.uint8).reshape(size[1], size[0], 3)
    return Image.fromarray(ramp).convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The image as the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def written(write: Callable[[Path], object], name: str) -> bytes:
    """What a writer puts into a file of that name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()
