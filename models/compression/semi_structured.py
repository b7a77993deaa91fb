"""Two of every four weights, on CUDA cards whose tensor cores skip the other two."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.compression.linears import block_linears
from recon.errors import ResourceError

HALF = (torch.float16, torch.bfloat16)
CAPABILITY = (8, 0)
"""Ampere; older cards have no such tensor cores."""


def keep_two_of_four(weight: Float[Tensor, "out_features in_features"]) -> Float[Tensor, "out_features in_features"]:
    """The matrix with the two smallest of every four neighbours in a row set to zero (Mishra et al. 2021).

    The last entries of a row whose length is no multiple of four stay.
    """
    whole = weight.shape[1] // 4 * 4
    groups = weight[:, :whole].unflatten(1, (-1, 4))
    dropped = groups.abs().argsort(dim=-1)[..., :2]
    pruned = groups.scatter(-1, dropped, 0.0).flatten(1)
    return torch.cat([pruned, weight[:, whole:]], dim=1)


def sparsify_two_of_four(network: nn.Module) -> nn.Module:
    """Drop two of every four weights of the plain matrices in transformer blocks, in place, and store the rest packed.

    Raises:
        InputError: There are no plain matrices in the blocks.
        ResourceError: The network is not on a CUDA card of compute capability 8.0 or later in half precision.
    """
    linears = [linear for part in block_linears(network).values() for linear in part.values()]
    for linear in linears:
        weight = linear.weight
        if weight.device.type != "cuda" or weight.dtype not in HALF:
            raise ResourceError(
                f"2:4 sparsity needs half precision on a CUDA card; the network is {weight.dtype} on {weight.device}",
                hint='network.to("cuda", torch.bfloat16), or choose int8 on a CPU',
            )
        if torch.cuda.get_device_capability(weight.device) < CAPABILITY:
            raise ResourceError(
                f"2:4 sparsity needs compute capability {CAPABILITY}; {torch.cuda.get_device_name(weight.device)} has "
                f"{torch.cuda.get_device_capability(weight.device)}",
                hint="use the dense network on this card",
            )
    for linear in linears:
        packed = torch.sparse.to_sparse_semi_structured(keep_two_of_four(linear.weight.detach()))
        linear.weight = nn.Parameter(packed, requires_grad=False)
    return network
