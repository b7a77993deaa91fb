"""Adding an adapter to a network, and merging it into the weights.

While it is there, an adapted layer `NAME` is a wrapper whose original map is `NAME.base_layer`: read weights before
adding, write them after merging.
"""

from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.adapters.config import AdapterConfig, AdapterKind
from models.adapters.peft_layers import inject
from models.adapters.svft import SVFTLinear
from models.adapters.targets import target_layers
from recon.errors import CheckpointError, InputError

TRAINED: dict[AdapterKind, dict[str, str]] = {
    "none": {},
    "lora": {"A": "lora_A.default.weight", "B": "lora_B.default.weight"},
    "asymmetric_lora": {"B": "lora_B.default.weight"},
    "c3a": {"kernel": "c3a_kernel.default"},
    "fourierft": {"spectrum": "fourierft_spectrum.default"},
    "svft": {"band": "band"},
}
"""What is trained of an adapted layer: name in files -> name in the layer."""


def add_adapter(network: nn.Module, config: AdapterConfig) -> tuple[str, ...]:
    """Freeze a network and put an adapter on its linear maps, which changes no output yet.

    Args:
        network: Changed in place; afterwards only `adapter_parameters` are trained.
        config: Kind, targets and sizes.

    Returns:
        Names of the adapted layers.

    Raises:
        InputError: There is an adapter already, the kind adds none, or there is no target, or one that cannot take it.
        ResourceError: The kind needs peft, which is not installed.
    """
    if present := adapted_layers(network):
        raise InputError(f"the network has an adapter already, on {next(iter(present))}", hint="merge or remove it")
    if config.kind == "none":
        raise InputError("adapter.kind is none, which adds nothing", hint="choose lora, or another kind")
    layers = target_layers(network, config)
    if config.kind == "svft":
        for name, layer in layers.items():
            network.set_submodule(name, SVFTLinear(layer, config.band).train(layer.training))
    else:
        inject(network, layers, config)
    network.requires_grad_(False)
    for parameter in adapter_parameters(network, config).values():
        parameter.requires_grad_(True)
    return tuple(layers)


def adapter_parameters(network: nn.Module, config: AdapterConfig) -> dict[str, nn.Parameter]:
    """What is trained: name of the adapted layer and of its part -> numbers.

    Raises:
        InputError: The network has no adapter of that kind.
    """
    found: dict[str, nn.Parameter] = {}
    for name, part in adapted_layers(network).items():
        own = dict(part.named_parameters())
        for short, inner in TRAINED[config.kind].items():
            if inner not in own:
                raise InputError(f"{name} has an adapter of another kind than {config.kind}")
            found[f"{name}.{short}"] = own[inner]
    if not found:
        raise InputError("the network has no adapter", hint="add_adapter first")
    return found


def adapted_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Name -> wrapper of every adapted layer."""
    parts = network.named_modules()
    return {name: part for name, part in parts if isinstance(getattr(part, "base_layer", None), nn.Linear)}


def weight_change(wrapper: nn.Module) -> Float[Tensor, "out_features in_features"]:
    """What the adapter of a layer adds to its weight."""
    return wrapper.delta() if isinstance(wrapper, SVFTLinear) else cast(Any, wrapper).get_delta_weight("default")


@torch.no_grad()
def merge_adapter(network: nn.Module) -> None:
    """Add the adapter to the weights and take the wrappers away; all parameters can be trained again.

    Raises:
        InputError: There is no adapter.
        CheckpointError: It holds numbers that are not finite; nothing is changed then.
    """
    layers = _require_adapter(network)
    changes = {name: weight_change(wrapper) for name, wrapper in layers.items()}
    for name, change in changes.items():
        if not change.isfinite().all():
            raise CheckpointError(f"the adapter of {name} is not finite", hint="train again with a smaller rate")
    for name, wrapper in layers.items():
        weight = cast(nn.Linear, wrapper.base_layer).weight
        weight.add_(changes[name].to(weight))
    remove_adapter(network)


def remove_adapter(network: nn.Module) -> None:
    """Take the wrappers away and leave the weights as they were; all parameters can be trained again.

    Raises:
        InputError: There is no adapter.
    """
    for name, wrapper in _require_adapter(network).items():
        network.set_submodule(name, cast(nn.Linear, wrapper.base_layer))
    network.requires_grad_(True)


def _require_adapter(network: nn.Module) -> dict[str, nn.Module]:
    if not (layers := adapted_layers(network)):
        raise InputError("the network has no adapter", hint="add_adapter first")
    return layers
