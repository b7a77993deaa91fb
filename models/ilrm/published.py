"""The checkpoints that the authors of iLRM publish: `re10k_2view.ckpt` and `ilrm_undistort_dl3dv*.pt`.

The first was saved by Lightning: weights under "state_dict", their names beginning with "encoder.", beside states of
the training. The others hold the weights under "model". A file that holds nothing but weights is read as well.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.ilrm.config import DL3DV_WIDE, RE10K_2VIEW, ILRMConfig
from models.ilrm.network import ILRM
from models.ilrm.state_dict import from_published
from models.published.weights import PublishedWeights
from recon.errors import CheckpointError
from recon.io.tensor_file import require_shapes
from recon.io.torch_checkpoint import read_torch_checkpoint

NOTICE = (
    "The authors of iLRM (Kang et al. 2025, arXiv 2507.23277) state no licence, neither for their code nor for these "
    "weights: all rights are reserved. Ask them before you use the weights, or what is made with them, for more than "
    "looking, and do not pass them on."
)
RELEASES = (RE10K_2VIEW, DL3DV_WIDE)
"""Sizes of the published networks."""
PLACES = ("state_dict", "model")
"""Where a checkpoint keeps its weights, if not at the top."""
_TRAINING_ONLY = re.compile(r"(losses|loss_computer|lpips|perceptual\w*|vgg\w*)\.|.*\.(lpips|perceptual\w*|vgg\w*)\.")
_EXACT_IN_FLOAT32 = (torch.float32, torch.float16, torch.bfloat16)


def read_published(path: Path, releases: tuple[ILRMConfig, ILRMConfig] = RELEASES) -> PublishedWeights:
    """Read a published checkpoint strictly: every weight there, none too many, all of the right shape.

    Args:
        path: The file as it was published.
        releases: Sizes that the network must have, with six ray channels and with nine.

    Raises:
        CheckpointError: The file cannot be read without running code of it, or holds something else.
    """
    content, foreign = read_torch_checkpoint(path)
    found, others = _weights(path, content)
    training_only = [name for name in found if _TRAINING_ONLY.match(name)]
    config, state = from_published({name: value for name, value in found.items() if name not in set(training_only)})
    _require_sizes(path, config, next(release for release in releases if release.rays == config.rays))
    with torch.device("meta"):
        network = ILRM(config)
    require_shapes(path, _shapes(state), _shapes(network.state_dict()))
    for name, value in state.items():
        if value.dtype not in _EXACT_IN_FLOAT32 or not value.isfinite().all():
            raise CheckpointError(f"{path}: {name} holds {value.dtype}, expected finite numbers that float32 can hold")
    network.load_state_dict({name: value.float() for name, value in state.items()}, strict=True, assign=True)
    left_out = [*others, *_groups(training_only), *(f"objects of {name}" for name in foreign)]
    return PublishedWeights(network.eval(), config, variant(config, network), tuple(left_out))


def variant(config: ILRMConfig, network: torch.nn.Module) -> str:
    """Data set, views with the resolution of viewpoint and image tokens, and size, as the paper writes them."""
    data_set, views = ("DL3DV", "16 or 32") if config.rays == "origin" else ("RealEstate10K", "2")
    resolution = {1: "F", 2: "H", 4: "Q"}[config.viewpoint_factor]
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    return f"{data_set}, ({views}, {resolution}, F), {millions:.1f} M parameters"


def _require_sizes(path: Path, found: ILRMConfig, expected: ILRMConfig) -> None:
    other = [name for name, value in vars(expected).items() if getattr(found, name) != value]
    if other:
        stated = ", ".join(f"{name} {getattr(found, name)}, expected {getattr(expected, name)}" for name in other)
        raise CheckpointError(
            f"{path}: the network has other sizes than the published one: {stated}",
            hint="give the whole file as it was published; weights of other sizes cannot be imported",
        )


def _weights(path: Path, content: Any) -> tuple[dict[str, Tensor], list[str]]:
    """The part with the weights, and the names of the others."""
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}, expected a checkpoint of iLRM")
    place = next((name for name in PLACES if isinstance(content.get(name), dict)), None)
    state = content if place is None else content[place]
    others = [] if place is None else [_short(name) for name in content if name != place]
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or value.layout != torch.strided:
            raise CheckpointError(
                f"{path}: {_short(name)} is a {type(value).__name__}, expected a dense tensor",
                hint=f"weights are looked for under {', '.join(PLACES)}, or alone in the file",
            )
    return state, others


def _groups(names: list[str]) -> list[str]:
    """Names of tensors by their first part, with their number."""
    counts = Counter(name.split(".")[0] for name in names)
    return [f"{_short(group)}.* ({count} tensors)" for group, count in counts.items()]


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def _short(name: Any) -> str:
    """A name that comes from a file, safe to print."""
    return ascii(name)[1:-1][:100] if isinstance(name, str) else f"a {type(name).__name__}"
