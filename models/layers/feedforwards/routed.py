"""A dense layer cut into experts, of which a router runs the best few (FactorLLM, Zhao et al. 2024)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import gelu, linear

from models.layers.contracts import FeedForward, Mode
from models.layers.feedforwards.parts import require_full_width, uniform_rows
from models.layers.feedforwards.routing import sum_of_groups
from recon.errors import InputError


class RoutedFeedForward(FeedForward):
    """The hidden units of a GELU layer in equal slices; every token takes the `top` slices that the router likes best.

    The update is the sum of the chosen slices times slices / top, so that its size is that of the whole layer. The
    router learns from the loss terms alone, and they teach nothing but the router: slices are ranked by how near each
    comes to its share of the whole layer's update, and the router's distribution is drawn to the softmax of the best
    `top`. While trained all slices run, for the ranking. `models.layers.feedforwards.converting` makes such a layer
    from a trained dense one.

    Args:
        dim: Token width.
        ratio: Hidden width of all slices together over token width.
        experts: Number of slices.
        top: Slices that a token takes; None for half of them.
        prior: Weight of the prior loss.
        balance: Weight of the balance loss, which is 1 when slices are taken equally often.

    Raises:
        InputError: If the hidden width does not divide into the slices, or `top` is not among 1 .. experts.
    """

    def __init__(
        self,
        dim: int,
        ratio: float = 4.0,
        experts: int = 4,
        *,
        top: int | None = None,
        prior: float = 1.0,
        balance: float = 0.01,
    ):
        super().__init__(dim)
        hidden_width = round(ratio * dim)
        self.dim, self.num_experts, self.slice_width = dim, experts, hidden_width // experts
        self.top = max(1, experts // 2) if top is None else top
        self.prior, self.balance = prior, balance
        if self.slice_width * experts != hidden_width or not 1 <= self.top <= experts:
            raise InputError(
                f"{hidden_width} hidden units cannot make {experts} equal experts of which {self.top} run",
                hint="choose feed_forward.experts so that it divides the hidden width",
            )
        self.up = uniform_rows(hidden_width, dim, dim)
        self.down = uniform_rows(hidden_width, dim, hidden_width)
        self.router = uniform_rows(experts, dim, dim)
        self._aux: dict[str, Float[Tensor, ""]] = {}

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The update of every token by the slices that the router chose for it."""
        require_full_width(width)
        x = normed.reshape(-1, self.dim)
        logits = linear(x.detach(), self.router)
        chosen = logits.topk(self.top, dim=-1).indices
        if self.training:
            out = self._all_slices(x, logits, chosen)
        else:
            out = sum_of_groups(x, chosen, self.num_experts, self.slice_update)
        return (out * (self.num_experts / self.top)).view(normed.shape)

    def _all_slices(
        self,
        x: Float[Tensor, "tokens dim"],
        logits: Float[Tensor, "tokens experts"],
        chosen: Int[Tensor, "tokens top"],
    ) -> Float[Tensor, "tokens dim"]:
        """Every slice, of which the chosen count; keeps the loss terms."""
        parts = torch.stack([self.slice_update(index, x) for index in range(self.num_experts)], dim=1)
        share = parts.detach().sum(dim=1, keepdim=True) * (self.top / self.num_experts)
        errors = (parts.detach() - share).square().mean(dim=-1)
        best = _indicator(errors.topk(self.top, dim=-1, largest=False).indices, errors)
        used = _indicator(chosen, parts)
        log_router = logits.log_softmax(dim=-1)
        prior = (log_router.exp() * (log_router - best.to(logits.dtype).log_softmax(dim=-1))).sum(dim=-1).mean()
        load = used.mean(dim=0) / self.top
        self._aux = {
            "prior": self.prior * prior,
            "balance": self.balance * self.num_experts * (load * log_router.exp().mean(dim=0)).sum(),
        }
        return (parts * used[..., None]).sum(dim=1)

    def slice_update(self, index: int, x: Float[Tensor, "group dim"]) -> Float[Tensor, "group dim"]:
        """What one slice adds, not scaled."""
        rows = slice(index * self.slice_width, (index + 1) * self.slice_width)
        return gelu(linear(x, self.up[rows])) @ self.down[rows]

    def aux_losses(self) -> dict[str, Float[Tensor, ""]]:
        """`prior` and `balance` of the last training forward."""
        return self._aux

    def macs(self, num_tokens: int, mode: Mode) -> int:
        """The router, and all slices while trained, `top` of them when used."""
        slices = self.num_experts if mode == "train" else self.top
        return num_tokens * self.dim * (self.num_experts + 2 * slices * self.slice_width)


def _indicator(indices: Int[Tensor, "tokens top"], like: Tensor) -> Float[Tensor, "tokens experts"]:
    """1 for the experts that are listed, 0 for the others."""
    zeros = torch.zeros(like.shape[:2], dtype=like.dtype, device=like.device)
    return zeros.scatter(1, indices, 1.0)
