"""Groups of parameters for an optimiser: rates of structured matrices, and what decays."""

from typing import Any

from torch import nn

from models.layers.contracts import StructuredLinear


def param_groups(network: nn.Module, lr: float, weight_decay: float) -> list[dict[str, Any]]:
    """Every parameter that is trained once, those with the same learning rate and decay together.

    Structured matrices say their own rates (`Linear.param_groups`); all else takes `lr`. Weights decay if they have two
    dimensions or more. Without structured matrices there are two groups: what decays, and the rest.

    Args:
        network: Whose parameters are trained, but for those that are frozen.
        lr: Learning rate of a dense matrix.
        weight_decay: Of matrices and kernels.
    """
    rates: dict[int, float] = {}
    for part in network.modules():
        if isinstance(part, StructuredLinear):
            rates |= {id(p): group["lr"] for group in part.param_groups(lr) for p in group["params"]}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {(lr, weight_decay): [], (lr, 0.0): []}
    for parameter in filter(lambda p: p.requires_grad, network.parameters()):
        decay = weight_decay if parameter.ndim >= 2 else 0.0
        groups.setdefault((rates.get(id(parameter), lr), decay), []).append(parameter)
    return [{"params": held, "lr": rate, "weight_decay": decay} for (rate, decay), held in groups.items()]
