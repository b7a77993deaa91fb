"""The published iLRM networks against recorded numbers of the reference."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from app.parity.report import TensorError
from models.ilrm.network import ILRM
from models.ilrm.state_dict import from_published

TOLERANCE = 2e-5
EXPONENTIAL_TOLERANCE = 1e-4
"""For tensors that are exponentials of network outputs."""


def check_ilrm(folder: Path) -> list[TensorError]:
    """Largest difference of every recorded tensor, relative to its largest value.

    Args:
        folder: weights, inputs and outputs (.safetensors) in the names of either published release.
    """
    inputs = load_file(folder / "inputs.safetensors")
    expected = load_file(folder / "outputs.safetensors")
    config, state = from_published({k: v.float() for k, v in load_file(folder / "weights.safetensors").items()})
    network = ILRM(config)
    network.load_state_dict(state, strict=True)
    images = inputs["image"]
    world_from_cam, K = _cameras(inputs, images.shape[-1], images.shape[-2])
    with torch.no_grad():
        found = _run(network.eval(), images, world_from_cam, K)
    errors = []
    for name, value in sorted(expected.items()):
        scale = float(value.abs().max())
        error = float((found[name] - value).abs().max()) / scale
        errors.append(TensorError(name, error, EXPONENTIAL_TOLERANCE if name == "scales" else TOLERANCE))
    return errors


def _cameras(inputs: dict[str, Tensor], width: int, height: int) -> tuple[Tensor, Tensor]:
    """Camera-to-world and pixel intrinsics from the conventions of either release."""
    if "c2w" in inputs:
        fx, fy, cx, cy = inputs["fxfycxcy"].unbind(-1)
        zero, one = torch.zeros_like(fx), torch.ones_like(fx)
        K = torch.stack([fx, zero, cx, zero, fy, cy, zero, zero, one], dim=-1).unflatten(-1, (3, 3))
        return inputs["c2w"], K
    return inputs["extrinsics"], inputs["intrinsics"] * torch.tensor([width, height, 1.0])[:, None]


def _run(network: ILRM, images: Tensor, world_from_cam: Tensor, K: Tensor) -> dict[str, Tensor]:
    """Every tensor that a fixture records, by its recorded name."""
    tokens = network.tokenise(images, world_from_cam, K)
    found = {
        "viewpoint_patches_first4": tokens.viewpoint_patches.flatten(1, 2)[:, :4],
        "image_patches_first4": tokens.image_patches.flatten(1, 2)[:, :4],
        "viewpoint_tokens": tokens.viewpoint.flatten(1, 2),
        "image_tokens": tokens.image.flatten(1, 2),
    }
    x = tokens.viewpoint
    for i, block in enumerate(network.processor.blocks):
        x = block(x, tokens.image)
        found[f"block_{i}"] = x.flatten(1, 2)
    raw = network.token_decoder(x)
    gaussians = network.decode(raw, world_from_cam, K, images.shape[-2:])
    maps = network.head_maps(raw, images.shape[-2:])
    dc = gaussians.sh[:, :, 0]
    return found | {
        "head_raw": raw.flatten(1, 2),
        "means": gaussians.means,
        "scales": gaussians.scales,
        "log_scales": gaussians.scales.log(),
        "quats": gaussians.quats,
        "rotations_raw": maps.quat.flatten(1, 3),
        "opacities": gaussians.opacities,
        "opacity_logits": gaussians.opacities.logit(),
        "harmonics_dc": dc,
        "rgb_dc": (0.5 + 0.28209479177387814 * dc).clamp(min=0),
    }
