"""From weights to what the pipeline calls."""

from collections.abc import Callable

import torch

from models.hub import network_name
from models.ilrm.nano.reconstructor import NanoReconstructor
from models.ilrm.reconstructor import ILRMReconstructor
from recon.pipeline.protocols import GaussianReconstructor

RECONSTRUCTORS: dict[str, Callable[[str, torch.device], GaussianReconstructor]] = {
    "ilrm-nano": NanoReconstructor,
    "ilrm": ILRMReconstructor,
}
"""By the name of the network in `NETWORKS`."""


def load_reconstructor(weights: str, device: torch.device) -> GaussianReconstructor:
    """The reconstructor of the network that the weights are of.

    Args:
        weights: Name of weights that ship, or a folder.
        device: Where the network runs.

    Raises:
        CheckpointError: There are no such weights, or of a network that makes no Gaussians.
    """
    return RECONSTRUCTORS[network_name(weights)](weights, device)
