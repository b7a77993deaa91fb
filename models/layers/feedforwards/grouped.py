"""One expert for each group of tokens, where the group is known beforehand (hash layers, Roller et al. 2021)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import gelu, linear

from models.layers.contracts import FeedForward, Mode
from models.layers.feedforwards.parts import require_full_width, uniform_rows
from models.layers.feedforwards.routing import RouteCache, by_group, require_groups


class GroupedFeedForward(FeedForward):
    """A GELU layer for each group: the work of one for every token, the parameters of all.

    Group ids come from geometry (`models.layers.feedforwards.keys`), not from a learned router, so nothing has to be
    balanced by a loss, and tokens are sorted once for as long as the ids stay the same. With token kinds as groups this
    is the feed-forward part of mixture-of-transformers (Liang et al. 2024).

    With two hashes (MultiHash, Roller et al. 2021, section 3) the hidden units of every expert are cut into two halves,
    and a token takes the first half of one expert and the second half of another: as many layers as pairs of experts,
    out of the parameters of the experts. Its group id is first * experts + second (`product_keys`).

    Args:
        dim: Token width.
        ratio: Hidden width of one expert over token width.
        experts: Number of experts.
        hashes: Parts that the hidden units of an expert are cut into; there are experts^hashes groups.
    """

    def __init__(self, dim: int, ratio: float = 4.0, experts: int = 4, *, hashes: int = 1):
        super().__init__(dim)
        self.dim, self.num_experts, self.hashes, self.hidden_width = dim, experts, hashes, round(ratio * dim)
        self.up = uniform_rows(experts * self.hidden_width, dim, dim)
        self.down = uniform_rows(experts * self.hidden_width, dim, self.hidden_width)
        self._routes = [RouteCache() for _ in range(hashes)]

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The update of every token by the expert of its group, or by parts of several.

        Raises:
            InputError: Without group ids, or with ids outside of 0 .. groups - 1.
        """
        require_full_width(width)
        groups = require_groups(group_ids, self.num_experts**self.hashes).expand(normed.shape[:2]).reshape(-1)
        parts = [self._part(normed.reshape(-1, self.dim), groups, part) for part in range(self.hashes)]
        return torch.stack(parts).sum(0).view(normed.shape) if self.hashes > 1 else parts[0].view(normed.shape)

    def _part(
        self, x: Float[Tensor, "tokens dim"], groups: Int[Tensor, " tokens"], part: int
    ) -> Float[Tensor, "tokens dim"]:
        """What one part of the hidden units adds, of the expert that the digit of the group names."""
        place = self.num_experts ** (self.hashes - 1 - part)
        experts = groups // place % self.num_experts
        up, down = (
            [expert.tensor_split(self.hashes)[part] for expert in rows.chunk(self.num_experts)]
            for rows in (self.up, self.down)
        )

        def expert(index: int, tokens: Float[Tensor, "group dim"]) -> Float[Tensor, "group dim"]:
            return gelu(linear(tokens, up[index])) @ down[index]

        return by_group(x, self._routes[part].route(experts, self.num_experts), expert)

    def macs(self, num_tokens: int, mode: Mode) -> int:
        """One expert for every token."""
        return 2 * num_tokens * self.dim * self.hidden_width
