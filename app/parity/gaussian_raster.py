"""A rasteriser against images and gradients recorded from gsplat's reference functions."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from app.parity.report import TensorError
from recon.render import Rasterizer, get_rasterizer

IMAGE_TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-11}
GRADIENT_TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-10}
_DECISION_ERROR = {torch.float32: 1e-5, torch.float64: 1e-12}
"""Where a threshold is nearer than this, relative to its value, rounding may decide otherwise."""


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
    """
    inputs = {name: value.to(dtype) for name, value in load_file(folder / "inputs.safetensors").items()}
    expected = load_file(folder / "outputs.safetensors")
    settings = json.loads((folder / "config.json").read_text())["hyperparameters"]
    found = _render_with_gradients(rasterizer or get_rasterizer("cpu"), inputs, expected["image"], settings)
    decided = expected["pixel_margin"] > _DECISION_ERROR[dtype]
    errors = []
    for name, value in found.items():
        difference = (value.double() - expected[name]).abs()
        if name.startswith("grad."):
            scale = 1.0 if name == "grad.background" else float(expected[name].abs().max())
            errors.append(TensorError(name, float(difference.max()) / scale, GRADIENT_TOLERANCE[dtype]))
        else:
            scale = float(expected[name].abs().max())
            errors.append(TensorError(name, float(difference[decided].max()) / scale, IMAGE_TOLERANCE[dtype]))
    return errors


def _render_with_gradients(
    rasterizer: Rasterizer, inputs: dict[str, Tensor], image: Tensor, settings: dict
) -> dict[str, Tensor]:
    """Image, alpha and gradients, by the names of the recorded tensors."""
    color_name = "sh" if "sh" in inputs else "colors"
    names = ["means", "quats", "scales", "opacities", color_name, "viewmats", "background"]
    leaves = {name: inputs[name].clone().requires_grad_() for name in names}
    means, quats, scales, opacities, colors, viewmats, background = leaves.values()
    height, width = image.shape[1:3]
    rendering = rasterizer(
        means, quats, scales, opacities, colors, viewmats, inputs["Ks"], width, height,
        sh_degree=settings["sh_degree"], backgrounds=background,
    )  # fmt: skip
    loss = (rendering.color * inputs["grad_image"]).sum() + (rendering.alpha * inputs["grad_alpha"]).sum()
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    found = {"image": rendering.color.detach(), "alpha": rendering.alpha.detach()}
    return found | {f"grad.{name}": gradient for name, gradient in zip(leaves, gradients, strict=True)}
