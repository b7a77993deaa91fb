"""Dense matrices of a trained network become structured ones."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.compression.linears import PARTS, Part, block_linears, replace_module
from models.compression.sizing import config_within
from models.layers.config import LinearConfig, LinearKind
from models.layers.linears import Dense, Factored, make_linear

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Conversion:
    """What a conversion did.

    Attributes:
        configs: Part -> config of its linear maps, with which the converted network is built anew.
        errors: Name of a matrix -> norm of its error over its own norm, both weighted as in the fit.
        numbers_before: Numbers of the matrices that were converted.
        numbers_after: Numbers of the matrices in their place.
    """

    configs: dict[Part, LinearConfig]
    errors: dict[str, float]
    numbers_before: int
    numbers_after: int


def convert_linears(
    network: nn.Module,
    kind: LinearKind,
    budget: float,
    *,
    parts: Sequence[Part] = tuple(PARTS),
    blocks: int = 4,
    input_rms: Mapping[str, Float[Tensor, " n"]] | None = None,
) -> Conversion:
    """Replace the plain matrices in the transformer blocks of a network, in place, by structured ones that come near.

    All matrices of a part get one config, so that the network can be built from a config again; the budget holds for
    every part. Fine-tuning afterwards makes up for most of the error.

    Args:
        network: Trained network.
        kind: Kind of structured matrix.
        budget: Share of the numbers that may be used, above 0 and below 1.
        parts: What is converted.
        blocks: Of block_dense and blast.
        input_rms: Name of a matrix -> root mean square of its inputs (`record_input_rms`); errors are then weighted so
            that outputs rather than entries are kept.

    Raises:
        InputError: There is nothing to convert, or nothing of the kind fits into the budget.
    """
    found = {part: linears for part, linears in block_linears(network, parts).items() if linears}
    configs, errors, before, after = {}, {}, 0, 0
    for part, linears in found.items():
        shapes = [(linear.in_features, linear.out_features) for linear in linears.values()]
        configs[part] = config_within(kind, shapes, budget, blocks=blocks)
        for name, linear in linears.items():
            rms = None if input_rms is None else input_rms[name]
            structured, errors[name] = _convert(linear, configs[part], rms)
            replace_module(network, name, structured)
            before += linear.weight.numel()
            after += sum(core.numel() for core, _ in structured.cores())
            logger.info("%s is now %s with a relative error of %.3f", name, kind, errors[name])
    return Conversion(configs, errors, before, after)


@torch.no_grad()
def _convert(linear: Dense, config: LinearConfig, input_rms: Tensor | None) -> tuple[Factored, float]:
    """The structured matrix near a dense one, and its relative error."""
    with linear.weight.device:
        structured = make_linear(config, linear.in_features, linear.out_features, bias=linear.bias is not None)
    structured = cast(Factored, structured)
    structured.to(linear.weight.dtype).train(linear.training)
    if linear.bias is not None and structured.bias is not None:
        structured.bias.copy_(linear.bias)
    structured.approximate(linear.weight, input_rms)
    scale = 1 if input_rms is None else input_rms.to(linear.weight)
    error = ((structured.materialise() - linear.weight) * scale).norm() / (linear.weight * scale).norm()
    return structured, float(error)
