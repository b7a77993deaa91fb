"""What the processes of one training tell each other, beside gradients."""

from collections.abc import Sequence

import torch
from torch import Tensor, distributed


def names_of_non_finite(value: Tensor, names: Sequence[str]) -> list[str]:
    """The samples of every process whose value is not finite: in all processes the same, so that all of them stop.

    A process that stopped alone would leave the others waiting for its gradients.

    Args:
        value: A number of this process.
        names: Samples that it comes from.
    """
    failed = ~value.isfinite()
    if not distributed.is_initialized():
        return list(names) if failed else []
    flag = failed.to(torch.int32).reshape(1)
    distributed.all_reduce(flag, distributed.ReduceOp.MAX)
    return all_names(names if failed else ()) if flag.item() else []


def all_names(names: Sequence[str]) -> list[str]:
    """The names of all processes, in their order; every process must ask."""
    if not distributed.is_initialized():
        return list(names)
    found: list[list[str] | None] = [None] * distributed.get_world_size()
    distributed.all_gather_object(found, list(names))
    return [name for part in found for name in part or ()]
