"""All linear maps by name."""

from collections.abc import Callable

from models.layers.config import LinearConfig, LinearKind
from models.layers.contracts import StructuredLinear
from models.layers.linears.blast import Blast
from models.layers.linears.block_dense import BlockDense
from models.layers.linears.block_shuffle import BlockShuffle
from models.layers.linears.btt import BTT
from models.layers.linears.dense import Dense
from models.layers.linears.factored import Factored
from models.layers.linears.lowrank import LowRank
from models.layers.linears.self_guided import SelfGuided
from models.layers.linears.sizes import rank_from_share
from recon.errors import InputError

BuildLinear = Callable[[LinearConfig, int, int, bool], Dense | Factored]


def _lowrank(config: LinearConfig, n: int, m: int, bias: bool) -> LowRank:
    return LowRank(n, m, rank_from_share(config.rank, n, m), bias=bias)


def _block_dense(config: LinearConfig, n: int, m: int, bias: bool) -> BlockDense:
    rank = rank_from_share(config.rank, n, m, multiple=config.blocks)
    return BlockDense(n, m, config.blocks, rank, bias=bias)


def _blast(config: LinearConfig, n: int, m: int, bias: bool) -> Blast:
    return Blast(n, m, config.blocks, rank_from_share(config.rank, n, m), bias=bias)


LINEARS: dict[LinearKind, BuildLinear] = {
    "dense": lambda config, n, m, bias: Dense(n, m, bias=bias),
    "lowrank": _lowrank,
    "block_shuffle": lambda config, n, m, bias: BlockShuffle(n, m, config.blocks, bias=bias),
    "block_dense": _block_dense,
    "btt": lambda config, n, m, bias: BTT(n, m, max(round(config.rank), 1), normalise=config.normalise, bias=bias),
    "blast": _blast,
}
"""Every kind with what builds it from config, in_features, out_features and whether there is a bias."""


def make_linear(
    config: LinearConfig, in_features: int, out_features: int, *, bias: bool = False
) -> Dense | StructuredLinear:
    """A linear map of the kind and size that a config asks for.

    Raises:
        InputError: The kind cannot have those sizes, or a dense matrix is to be guided by itself.
    """
    if not config.self_guided:
        return LINEARS[config.kind](config, in_features, out_features, bias)
    structured = LINEARS[config.kind](config, in_features, out_features, False)
    if not isinstance(structured, Factored):
        raise InputError(
            f"self_guided: true with kind: {config.kind}, expected a structured kind",
            hint=f"choose one of {', '.join(kind for kind in LINEARS if kind != config.kind)}, or self_guided: false",
        )
    return SelfGuided(structured, bias=bias)
