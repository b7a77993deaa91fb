"""Which layers of a network take an adapter."""

from torch import nn
from torch.nn.utils import parametrize

from models.adapters.config import AdapterConfig, Targets
from models.layers.contracts import Attention, FeedForward
from models.layers.feedforwards.nested import NESTED
from recon.errors import InputError

INSIDE: dict[Targets, tuple[type[nn.Module], ...]] = {
    "attention": (Attention,),
    "feed_forward": (FeedForward,),
    "blocks": (Attention, FeedForward),
    "all": (nn.Module,),
}


def target_layers(network: nn.Module, config: AdapterConfig) -> dict[str, nn.Linear]:
    """Name -> linear map, in the order of the network.

    Raises:
        InputError: There is none, or one that cannot take the adapter.
    """
    found: dict[str, nn.Linear] = {}
    nested: list[str] = []
    for name, part in network.named_modules():
        if isinstance(part, INSIDE[config.targets]):
            found |= {inner: p for inner, p in part.named_modules(prefix=name) if isinstance(p, nn.Linear)}
        if isinstance(part, NESTED):  # they would pass an adapter by
            nested.append(f"{name}.")
    if not found:
        raise InputError(
            f"the network has no plain linear map for targets: {config.targets}",
            hint="structured maps take no adapter; choose other targets, or train the structured maps themselves",
        )
    for name, layer in found.items():
        if name.startswith(tuple(nested)):
            raise InputError(
                f"{name} belongs to a nested layer", hint="cut them to one width first: recon weights convert --width 1"
            )
        if parametrize.is_parametrized(layer, "weight"):
            raise InputError(
                f"the weight of {name} is conditioned",
                hint="make it a plain one first: recon weights convert --finalise",
            )
        if fault := config.fault_in(layer.out_features, layer.in_features):
            raise InputError(f"adapter.{fault} for {name}, {layer.out_features} x {layer.in_features}")
    order = {id(part): i for i, part in enumerate(network.modules())}
    return dict(sorted(found.items(), key=lambda item: order[id(item[1])]))
