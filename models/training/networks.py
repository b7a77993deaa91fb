"""The networks that can be trained, by name."""

from collections.abc import Callable
from typing import Any

from torch import nn

from models.ilrm.module import ILRMModule
from models.ilrm.nano.module import NanoModule
from models.ilrm.nano.network import NanoILRM
from models.ilrm.network import ILRM
from models.training.config import TrainConfig

TRAINED: dict[str, tuple[Callable[[Any], nn.Module], type[ILRMModule]]] = {
    "ilrm-nano": (NanoILRM, NanoModule),
    "ilrm": (ILRM, ILRMModule),
}
"""Name -> (network, how it is trained)."""


def make_module(config: TrainConfig) -> ILRMModule:
    """The module of a run, with new weights."""
    network, module = TRAINED[config.network]
    return module(
        network(config.sizes),
        config.optim,
        config.loss,
        config.trainer.max_steps,
        config.data.seed,
        float32=config.trainer.precision == "float32",
    )
