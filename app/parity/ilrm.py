"""The published iLRM networks against recorded numbers of the reference."""

from pathlib import Path

import torch
from torch import Tensor

from app.parity.recorded import compare, read_tensors
from app.parity.report import TensorError
from models.ilrm.network import ILRM
from models.ilrm.state_dict import from_published
from recon.errors import FormatError
from recon.geometry.spherical_harmonics import C0

TOLERANCE = 2e-5
EXPONENTIAL_TOLERANCE = 1e-4
"""For tensors that are exponentials of network outputs."""


def check_ilrm(folder: Path) -> list[TensorError]:
    """Largest difference of every recorded tensor, relative to its largest value (see `compare`).

    Args:
        folder: weights, inputs and outputs (.safetensors) in the names of either published release.

    Raises:
        InputError: A file cannot be read.
        FormatError: A file is damaged, or tensors are missing or unknown.
        CheckpointError: The weights are of no published release.
    """
    weights = read_tensors(folder / "weights.safetensors")
    config, state = from_published({name: value.float() for name, value in weights.items()})
    network = ILRM(config)
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise FormatError(f"{folder / 'weights.safetensors'} does not fit the network: {error}") from error
    return check_network(network, folder)


def check_network(network: ILRM, folder: Path) -> list[TensorError]:
    """As `check_ilrm`, with weights that were read elsewhere.

    Args:
        network: With the weights of the fixture.
        folder: Its inputs and outputs (.safetensors).
    """
    inputs = read_tensors(folder / "inputs.safetensors", ["image"])
    images = inputs["image"]
    world_from_cam, K = _cameras(folder, inputs, images.shape[-1], images.shape[-2])
    with torch.no_grad():
        found = _run(network.eval(), images, world_from_cam, K)
    recorded = read_tensors(folder / "outputs.safetensors")
    unknown = sorted(recorded.keys() - found.keys())
    if unknown:
        raise FormatError(
            f"{folder / 'outputs.safetensors'} holds {', '.join(unknown)}, which the network does not give",
            hint=f"it gives {', '.join(sorted(found))}",
        )
    tolerances = {"scales": EXPONENTIAL_TOLERANCE}
    return [compare(name, found[name], recorded[name], tolerances.get(name, TOLERANCE)) for name in sorted(recorded)]


def _cameras(folder: Path, inputs: dict[str, Tensor], width: int, height: int) -> tuple[Tensor, Tensor]:
    """Camera-to-world and pixel intrinsics from the conventions of either release."""
    for pose, intrinsics in (("c2w", "fxfycxcy"), ("extrinsics", "intrinsics")):
        if pose in inputs and intrinsics in inputs:
            break
    else:
        raise FormatError(
            f"{folder / 'inputs.safetensors'} holds {', '.join(sorted(inputs))}",
            hint="cameras are c2w with fxfycxcy, or extrinsics with intrinsics",
        )
    if pose == "c2w":
        fx, fy, cx, cy = inputs["fxfycxcy"].unbind(-1)
        zero, one = torch.zeros_like(fx), torch.ones_like(fx)
        K = torch.stack([fx, zero, cx, zero, fy, cy, zero, zero, one], dim=-1).unflatten(-1, (3, 3))
        return inputs["c2w"], K
    return inputs["extrinsics"], inputs["intrinsics"] * torch.tensor([width, height, 1.0])[:, None]


def _run(network: ILRM, images: Tensor, world_from_cam: Tensor, K: Tensor) -> dict[str, Tensor]:
    """Every tensor that a fixture records, by its recorded name."""
    size = images.shape[-2], images.shape[-1]
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
    gaussians = network.decode(raw, world_from_cam, K, size)
    maps = network.head_maps(raw, size)
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
        "rgb_dc": (0.5 + C0 * dc).clamp(min=0),
    }
