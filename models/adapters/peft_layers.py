"""Adapters out of the library peft; the one file that imports it."""

import re
from collections.abc import Collection
from typing import Any

import torch
from torch import nn

from models.adapters.config import AdapterConfig
from recon.errors import ResourceError


def inject(network: nn.Module, layers: Collection[str], config: AdapterConfig) -> None:
    """Put layers of peft in place of linear maps; they start at zero and are drawn from `config.seed`.

    Args:
        network: Changed in place.
        layers: Names of its linear maps.
        config: Of a kind that peft has.

    Raises:
        ResourceError: peft is not installed.
    """
    try:
        from peft import C3AConfig, FourierFTConfig, LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise ResourceError(
            f"adapters of kind {config.kind} need the library peft ({error})",
            hint="pip install 'recon[adapters]', or choose kind svft",
        ) from error
    names = "|".join(re.escape(name) for name in layers)
    made: Any
    if config.kind == "c3a":
        made = C3AConfig(target_modules=names, block_size=config.block, init_weights=True)
    elif config.kind == "fourierft":
        made = FourierFTConfig(
            target_modules=names, n_frequency=config.frequencies, scaling=config.scale,
            random_loc_seed=config.seed, init_weights=True,
        )  # fmt: skip
    else:
        made = LoraConfig(target_modules=names, r=config.rank, lora_alpha=config.alpha)  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        inject_adapter_in_model(made, network)
    del network.peft_config
