"""What every exchangeable part of a transformer block promises.

Three kinds of part, each with a dictionary from name to builder: linear maps (`models.layers.linears`), feed-forward
layers (`models.layers.feedforwards`) and attention (`models.layers.attentions`). A part is one file there, one line in
its dictionary and one line in the parametrised tests.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Mode = Literal["train", "eval"]
"""Routed layers compute more while they are trained than when they are used."""


class Layout(NamedTuple):
    """How the tokens of a sequence lie: `prefix` extra ones (registers, cameras), then views of rows of columns."""

    views: int
    height: int
    width: int
    prefix: int = 0

    @property
    def length(self) -> int:
        """Tokens of the sequence."""
        return self.prefix + self.views * self.height * self.width


class Ragged(NamedTuple):
    """Sequences of different lengths laid end to end; tokens see those of their own sequence only.

    Attributes:
        lengths: Tokens of every sequence, or its queries if its keys are others.
        key_lengths: Keys of every sequence; as many as queries if not given.
    """

    lengths: tuple[int, ...]
    key_lengths: tuple[int, ...] | None = None

    @property
    def of_keys(self) -> tuple[int, ...]:
        """Keys of every sequence."""
        return self.lengths if self.key_lengths is None else self.key_lengths


class Linear(ABC):
    """What a linear map of n to m numbers promises, be it a matrix or something with fewer numbers.

    Attributes:
        in_features: n, the width of the input.
        out_features: m, the width of the output.
        bias: m numbers that are added, or None.
    """

    in_features: int
    out_features: int
    bias: nn.Parameter | None

    @abstractmethod
    def materialise(self) -> Float[Tensor, "out_features in_features"]:
        """The matrix that this map multiplies by, differentiable; without the bias."""

    @abstractmethod
    def macs(self) -> int:
        """Multiply-adds for one input vector, without the bias."""

    @abstractmethod
    def approximate(self, weight: Float[Tensor, "out_features in_features"]) -> None:
        """Set the own numbers so that `materialise` comes near a dense matrix; the bias stays."""

    @abstractmethod
    def cores(self) -> list[tuple[nn.Parameter, int]]:
        """Every factor with its fan-in: how many numbers are summed for one of its outputs."""

    def param_groups(self, base_lr: float) -> list[dict[str, Any]]:
        """Groups for an optimiser with the learning rates of the maximal update parametrisation (muP).

        Cores take base_lr * (in_features / fan_in of the core) / number of cores (Qiu et al. 2024, section 4); the bias
        takes base_lr, and no weight decay.
        """
        cores = self.cores()
        groups: list[dict[str, Any]] = [
            {"params": [core], "lr": base_lr * self.in_features / fan_in / len(cores)} for core, fan_in in cores
        ]
        return groups + ([] if self.bias is None else [{"params": [self.bias], "lr": base_lr, "weight_decay": 0.0}])


class StructuredLinear(nn.Module, Linear):
    """Base of linear maps that are not a plain matrix.

    Args:
        in_features: n, the width of the input.
        out_features: m, the width of the output.
        bias: Whether a bias of m numbers is added.
    """

    def __init__(self, in_features: int, out_features: int, *, bias: bool = False):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.bias = nn.Parameter(torch.zeros(out_features)) if bias else None

    def forward(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The image of x."""
        y = self.multiply(x)
        return y if self.bias is None else y + self.bias.to(y.dtype)

    @abstractmethod
    def multiply(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The image of x before the bias."""


MakeLinear = Callable[[int, int], nn.Module]
"""(in_features, out_features) -> a linear map without bias, for layers that are built from linear maps."""


class FeedForward(nn.Module, ABC):
    """A feed-forward branch: the update that is added to the tokens.

    The norm is part of the branch; a block that shares one norm between branches calls `update` itself.

    Args:
        dim: Token width.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.norm: nn.Module = nn.LayerNorm(dim, bias=False)

    def forward(
        self,
        tokens: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The update to add to `tokens`; keywords as those of `update`."""
        return self.update(self.norm(tokens), group_ids=group_ids, width=width)

    @abstractmethod
    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The update from normed tokens.

        Args:
            normed: Tokens after the norm.
            group_ids: Key of every token, for layers with an expert for each group; [length] or [batch, length].
            width: Share of the hidden width, for nested layers; others take 1 only.
        """

    @abstractmethod
    def macs(self, num_tokens: int, mode: Mode) -> int:
        """Multiply-adds of `update` on that many tokens."""

    def aux_losses(self) -> dict[str, Float[Tensor, ""]]:
        """Loss terms of the last training forward, already weighted; most layers have none."""
        return {}

    def schedule(self, progress: float) -> None:
        """Tell how far training is, 0 to 1, for layers that change on the way."""

    def finalise(self) -> None:
        """From the form that is trained to the form that is used, in place; the state dict may change.

        A state dict of either form can be loaded into a layer of that form.
        """


class Attention(nn.Module, ABC):
    """An attention branch: the update that is added to the query tokens. The norm is part of the branch.

    Args:
        dim: Token width.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.norm: nn.Module = nn.LayerNorm(dim, bias=False)

    def forward(
        self,
        tokens: Float[Tensor, "batch length dim"],
        memory: Float[Tensor, "batch keys dim"] | None = None,
        *,
        layout: Layout | Ragged | None = None,
        group_ids: Int[Tensor, "*batch length"] | None = None,
    ) -> Float[Tensor, "batch length dim"]:
        """The update to add to `tokens`; arguments as those of `update`."""
        return self.update(self.norm(tokens), memory, layout=layout, group_ids=group_ids)

    @abstractmethod
    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        memory: Float[Tensor, "batch keys dim"] | None = None,
        *,
        layout: Layout | Ragged | None = None,
        group_ids: Int[Tensor, "*batch length"] | None = None,
    ) -> Float[Tensor, "batch length dim"]:
        """The update from normed tokens.

        Args:
            normed: Tokens after the norm.
            memory: What is attended to; None for the tokens themselves.
            layout: How the tokens (of `memory` if given) are arranged; needed by layers that treat views or
                neighbourhoods apart. Of those `per_view` alone takes views of different sizes.
            group_ids: Key of every token, for layers with projections for each group; [length] or [batch, length].
        """

    @abstractmethod
    def macs(self, layout: Layout, num_queries: int | None = None) -> int:
        """Multiply-adds of `update` on one sequence when it is used: projections, scores and mixing.

        Args:
            layout: How the tokens that are attended to are arranged; kinds that see no arrangement take its length.
            num_queries: As many as these tokens if not given.
        """

    def aux_losses(self) -> dict[str, Float[Tensor, ""]]:
        """Loss terms of the last training forward, already weighted; most layers have none."""
        return {}

    def finalise(self) -> None:
        """From the form that is trained to the form that is used, in place."""
