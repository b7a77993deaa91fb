"""The linear maps of attention: what they are made of depends on what they carry."""

from dataclasses import replace
from typing import cast

from torch import nn

from models.layers.attentions.grouped_projection import GroupedProjection
from models.layers.config import AttentionConfig, LinearConfig
from models.layers.linears import Factored, Stacked, make_linear
from recon.errors import InputError

WITH_RANK = ("lowrank", "block_dense", "blast")
"""Linear maps whose rank is a share, which may be another one for values."""
VALUES = ("v", "proj")
"""Names of projections that carry values, not scores."""


def make_projection(config: AttentionConfig, name: str, in_features: int, out_features: int) -> nn.Module:
    """A projection of an attention layer.

    Args:
        config: Kind of maps, groups of tokens, and how ranks are shared.
        name: Of the projection: q, k, v, qkv or proj.
        in_features: Width of its input.
        out_features: Width of its output.

    Raises:
        InputError: The options do not go together.
    """
    if config.experts != 1:
        if config.linear != LinearConfig():
            raise InputError(
                f"projections for {config.experts} groups are plain matrices, not {config.linear.kind} maps",
                hint="leave attention.linear as it is, or set attention.experts to 1",
            )
        return GroupedProjection(in_features, out_features, config.experts)
    if config.value_rank == 1:
        return make_linear(config.linear, in_features, out_features)
    if config.linear.kind not in WITH_RANK or config.linear.self_guided:
        raise InputError(
            f"attention.value_rank is {config.value_rank:g} with {config.linear.kind} maps",
            hint=f"set it to 1, or choose one of {', '.join(WITH_RANK)}, not self_guided",
        )
    if name == "qkv":
        parts = [make_linear(_of(config, part), in_features, out_features // 3) for part in "qkv"]
        return Stacked(cast(list[Factored], parts))
    return make_linear(_of(config, name), in_features, out_features)


def rank_factor(config: AttentionConfig, name: str) -> float:
    """Rank of a projection over that of queries."""
    return config.value_rank if name in VALUES else 1.0


def _of(config: AttentionConfig, name: str) -> LinearConfig:
    return replace(config.linear, rank=min(1.0, config.linear.rank * rank_factor(config, name)))
