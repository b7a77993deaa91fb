"""One expert for each group of tokens, where the group is known beforehand (hash layers, Roller et al. 2021)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import gelu, linear

from models.layers.contracts import FeedForward, Mode
from models.layers.feedforwards.parts import require_full_width, uniform_rows
from models.layers.feedforwards.routing import RouteCache, by_group
from recon.errors import InputError


class GroupedFeedForward(FeedForward):
    """A GELU layer for each group: the work of one for every token, the parameters of all.

    Group ids come from geometry (`models.layers.feedforwards.keys`), not from a learned router, so nothing has to be
    balanced by a loss, and tokens are sorted once for as long as the ids stay the same. With token kinds as groups this
    is the feed-forward part of mixture-of-transformers (Liang et al. 2024).

    Args:
        dim: Token width.
        ratio: Hidden width of one expert over token width.
        experts: Number of groups.
    """

    def __init__(self, dim: int, ratio: float = 4.0, experts: int = 4):
        super().__init__(dim)
        self.dim, self.num_experts, self.hidden_width = dim, experts, round(ratio * dim)
        self.up = uniform_rows(experts * self.hidden_width, dim, dim)
        self.down = uniform_rows(experts * self.hidden_width, dim, self.hidden_width)
        self._routes = RouteCache()

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The update of every token by the expert of its group.

        Raises:
            InputError: Without group ids, or with ids outside of 0 .. experts - 1.
        """
        require_full_width(width)
        routing = self._routes.route(self._checked(group_ids).expand(normed.shape[:2]).reshape(-1), self.num_experts)
        up, down = self.up.chunk(self.num_experts), self.down.chunk(self.num_experts)

        def expert(index: int, tokens: Float[Tensor, "group dim"]) -> Float[Tensor, "group dim"]:
            return gelu(linear(tokens, up[index])) @ down[index]

        return by_group(normed.reshape(-1, self.dim), routing, expert).view(normed.shape)

    def macs(self, num_tokens: int, mode: Mode) -> int:
        """One expert for every token."""
        return 2 * num_tokens * self.dim * self.hidden_width

    def _checked(self, group_ids: Int[Tensor, "*batch length"] | None) -> Int[Tensor, "*batch length"]:
        if group_ids is None:
            raise InputError(
                "a layer with one expert for each group was given no group ids",
                hint="make them with models.layers.feedforwards.keys",
            )
        if group_ids.numel() == 0:
            return group_ids
        low, high = (int(end) for end in torch.aminmax(group_ids))
        if low < 0 or high >= self.num_experts:
            raise InputError(
                f"group ids go from {low} to {high}, but there are {self.num_experts} experts",
                hint="use feed_forward.experts groups when making the keys",
            )
        return group_ids
