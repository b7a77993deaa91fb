"""A rasteriser against images and gradients recorded from gsplat's reference functions."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from app.parity.recorded import compare, read_tensors
from app.parity.report import TensorError
from recon.errors import FormatError
from recon.io.json_file import read_json
from recon.render import RasterConfig, Rasterizer, get_rasterizer

IMAGE_TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-11}
GRADIENT_TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-10}
_DECISION_ERROR = {torch.float32: 1e-5, torch.float64: 1e-12}
"""Where a threshold is nearer than this, relative to its value, rounding may decide otherwise."""
_DIFFERENTIATED = ("means", "quats", "scales", "opacities", "viewmats", "background")
_FIXED = ("Ks", "grad_image", "grad_alpha")
_CONVENTIONS = {
    "near_plane": "near_plane",
    "far_plane": "far_plane",
    "eps2d": "eps2d",
    "radius_clip": "radius_clip",
    "max_alpha": "alpha_max",
}
"""Field of RasterConfig -> its name among the recorded conventions."""


class RasterSettings(NamedTuple):
    """How the reference rendered."""

    sh_degree: int | None
    config: RasterConfig


def check_gaussian_raster(
    folder: Path, *, rasterizer: Rasterizer | None = None, dtype: torch.dtype = torch.float32
) -> list[TensorError]:
    """Largest difference of image, alpha and every gradient, relative to the largest value of the tensor.

    Pixels in which a decision of the blending is a matter of rounding are left out. The gradient of the background is
    compared absolutely, because in an opaque scene it vanishes.

    Args:
        folder: inputs and outputs (.safetensors) and config.json.
        rasterizer: By default the one for the CPU.
        dtype: In which to render.

    Raises:
        InputError: A file cannot be read.
        FormatError: A file is damaged, or a tensor or setting is missing.
    """
    inputs = read_tensors(folder / "inputs.safetensors", [*_DIFFERENTIATED, *_FIXED])
    inputs = {name: value.to(dtype) for name, value in inputs.items()}
    color_name = "sh" if "sh" in inputs else "colors"
    if color_name not in inputs:
        raise FormatError(f"{folder / 'inputs.safetensors'} holds neither sh nor colors")
    leaves = [*_DIFFERENTIATED, color_name]
    recorded = read_tensors(
        folder / "outputs.safetensors", ["image", "alpha", "pixel_margin", *(f"grad.{name}" for name in leaves)]
    )
    if recorded["image"].ndim != 4:
        raise FormatError(f"image has shape {list(recorded['image'].shape)}, expected cameras, height, width, 3")
    settings = read_settings(folder / "config.json")
    found = _render_with_gradients(rasterizer or get_rasterizer("cpu"), inputs, color_name, recorded["image"], settings)
    decided = recorded["pixel_margin"] > _DECISION_ERROR[dtype]
    errors = []
    for name, value in found.items():
        if name.startswith("grad."):
            absolute = name == "grad.background"
            errors.append(compare(name, value, recorded[name], GRADIENT_TOLERANCE[dtype], absolute=absolute))
        else:
            errors.append(compare(name, value, recorded[name], IMAGE_TOLERANCE[dtype], where=decided))
    return errors


def read_settings(path: Path) -> RasterSettings:
    """What `config.json` says about the rendering.

    Raises:
        InputError: The file cannot be read.
        FormatError: A setting is missing, or has no meaning here.
    """
    content = read_json(path)
    conventions, parameters = content.get("conventions"), content.get("hyperparameters")
    if not isinstance(conventions, dict) or not isinstance(parameters, dict):
        raise FormatError(f"{path} lacks conventions or hyperparameters")
    degree, mode = parameters.get("sh_degree"), conventions.get("mode")
    if degree is not None and type(degree) is not int:
        raise FormatError(f"{path}: sh_degree is {degree!r}, expected a whole number or null")
    if mode not in ("classic", "antialiased"):
        raise FormatError(f"{path}: mode is {mode!r}, expected 'classic' or 'antialiased'")
    numbers = {}
    for ours, theirs in _CONVENTIONS.items():
        value = conventions.get(theirs)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e30:
            raise FormatError(f"{path}: {theirs} is no number from 0 to 1e30")
        numbers[ours] = float(value)
    return RasterSettings(degree, RasterConfig(rasterize_mode=mode, **numbers))


def _render_with_gradients(
    rasterizer: Rasterizer, inputs: dict[str, Tensor], color_name: str, image: Tensor, settings: RasterSettings
) -> dict[str, Tensor]:
    """Image, alpha and gradients, by the names of the recorded tensors."""
    names = ["means", "quats", "scales", "opacities", color_name, "viewmats", "background"]
    leaves = {name: inputs[name].clone().requires_grad_() for name in names}
    means, quats, scales, opacities, colors, viewmats, background = leaves.values()
    height, width = image.shape[1:3]
    rendering = rasterizer(
        means, quats, scales, opacities, colors, viewmats, inputs["Ks"], width, height,
        sh_degree=settings.sh_degree, backgrounds=background, config=settings.config,
    )  # fmt: skip
    loss = (rendering.color * inputs["grad_image"]).sum() + (rendering.alpha * inputs["grad_alpha"]).sum()
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    found = {"image": rendering.color.detach(), "alpha": rendering.alpha.detach()}
    return found | {f"grad.{name}": gradient for name, gradient in zip(leaves, gradients, strict=True)}
