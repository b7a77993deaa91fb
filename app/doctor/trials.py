"""Small runs of what the main job is made of."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import torch

from models.ilrm.nano.reconstructor import NanoReconstructor
from recon.errors import ReconError
from recon.render.rasterizer import RasterizerName, get_rasterizer, render
from recon.types import Cameras, Gaussians, ViewSet

SIDE = 64
FOCAL_PX = 64.0
OPACITY = 0.8


@dataclass(frozen=True)
class Trial:
    """One run.

    Attributes:
        name: What was tried.
        ok: Whether the result is right.
        seconds: Wall time, compilation at first use included.
        detail: The result, or the reason why there is none.
    """

    name: str
    ok: bool
    seconds: float
    detail: str


def attempt(name: str, run: Callable[[], str]) -> Trial:
    """Run, and keep an error as the reason of the failure."""
    start = time.perf_counter()
    try:
        ok, detail = True, run()
    except ReconError as error:
        ok, detail = False, "; ".join(filter(None, (error.message, error.hint)))
    except Exception as error:  # a broken library raises anything; the person who asks the doctor wants to know which
        ok, detail = False, f"{type(error).__name__}: {error}"
    return Trial(name, ok, round(time.perf_counter() - start, 2), detail)


def rasterizer_states() -> dict[str, str]:
    """Name of each rasteriser -> "ready", or why it cannot run here; "auto" -> the one that it takes."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    states = {"auto": get_rasterizer(device=device).name}
    for name in get_args(RasterizerName)[1:]:
        try:
            get_rasterizer(name)
        except ReconError as error:
            states[name] = error.message
        else:
            states[name] = "ready"
    return states


def two_cameras() -> Cameras:
    """Side by side, looking along z."""
    cam_from_world = torch.eye(4).repeat(2, 1, 1)
    cam_from_world[1, 0, 3] = -0.2
    K = torch.tensor([[FOCAL_PX, 0, SIDE / 2], [0, FOCAL_PX, SIDE / 2], [0, 0, 1]]).repeat(2, 1, 1)
    return Cameras(cam_from_world, K, torch.tensor([[SIDE, SIDE]]).repeat(2, 1))


def render_one_gaussian() -> str:
    """Render a Gaussian on the optical axis of the first camera and compare alpha there with its opacity."""
    one = Gaussians(
        means=torch.tensor([[0.0, 0.0, 2.0]]),
        scales=torch.full((1, 3), 0.3),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        opacities=torch.tensor([OPACITY]),
        sh=torch.zeros(1, 1, 3),
    )
    alpha = float(render(one, two_cameras()).alpha[0, SIDE // 2, SIDE // 2, 0])
    if abs(alpha - OPACITY) > 0.01:
        raise ReconError(f"alpha is {alpha:.3f} in front of a Gaussian of opacity {OPACITY}")
    return f"alpha {alpha:.3f}"


def reconstruct_two_views() -> str:
    """Run the shipped network on two small pictures of noise."""
    reconstructor = NanoReconstructor()
    noise = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    views = ViewSet(
        images=noise,
        names=("left", "right"),
        original_size=torch.full((2, 2), SIDE),
        crop_from_original=torch.eye(3).repeat(2, 1, 1),
        masks=torch.ones(2, SIDE, SIDE, dtype=torch.bool),
        cameras=two_cameras(),
    )
    num_gaussians = len(reconstructor.reconstruct(views).validate())
    if num_gaussians == 0:
        raise ReconError(f"{reconstructor.name} made no Gaussian", hint="its weights may be damaged")
    return f"{reconstructor.name}: {num_gaussians:,} Gaussians"
