"""Beginning a run with what another one has learnt."""

import logging
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from models.forms import ONLY_FOR_USE, form_of
from models.hub import load_pretrained
from models.ilrm.module import ILRMModule
from models.layers.config import BlockConfig
from recon.errors import CheckpointError
from recon.io.torch_file import require_no_more_than_on_disk

logger = logging.getLogger(__name__)
AVERAGE, NETWORK = "average.module.", "network."
"""What names in checkpoints begin with: those of the averaged network, and of the one that is trained."""


def start_from(module: ILRMModule, name: str) -> None:
    """Give the network of a new run the weights of another one.

    Args:
        module: Of the new run.
        name: Weights that ship, a folder of weights, or a file of `checkpoints/`, whose averaged weights are taken.

    Raises:
        CheckpointError: There is nothing of that name, it is of another network or of other sizes, or in a form that
            cannot be trained on.
    """
    read = _of_checkpoint if Path(name).suffix == ".ckpt" else _of_weights
    state = read(module, name)
    try:
        module.start_from(state)
    except RuntimeError as error:
        raise CheckpointError(
            f"{name} holds {module.network_name} of other sizes: {error}", hint="give the sizes of its config.json"
        ) from error


def _of_weights(module: ILRMModule, name: str) -> dict[str, Tensor]:
    source = load_pretrained(name)
    if source.name != module.network_name:
        raise CheckpointError(
            f"{name} holds {source.name}, expected {module.network_name}", hint="set network to the one of the weights"
        )
    block: BlockConfig = cast(Any, source.network).config.block
    if form_of(source.network) == "use" and block.feed_forward.kind in ONLY_FOR_USE:
        raise CheckpointError(
            f"{name} holds {block.feed_forward.kind} layers in the form that is used, which cannot be trained on",
            hint="name a checkpoint of the run that exported them, such as runs/NAME/checkpoints/step_0001000.ckpt",
        )
    logger.info("starting from %s (%s)", name, source.sha256[:12])
    return source.network.state_dict()


def _of_checkpoint(module: ILRMModule, name: str) -> dict[str, Tensor]:
    try:
        require_no_more_than_on_disk(Path(name))
        stored = torch.load(name, map_location="cpu", weights_only=True, mmap=True)
        network, state = stored["run"]["network"], stored["state_dict"]
    except Exception as error:  # damaged files raise whatever the unpickler stumbles over
        raise CheckpointError(
            f"{name}: not a checkpoint of a run ({type(error).__name__})", hint="name one of its folder checkpoints"
        ) from error
    if network != module.network_name:
        raise CheckpointError(
            f"{name} is of {network}, expected {module.network_name}", hint="set network to the one of that run"
        )
    logger.info("starting from %s", name)
    prefix = AVERAGE if any(key.startswith(AVERAGE) for key in state) else NETWORK
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
