"""Fast feed-forward layer: a tree chooses one small layer for each token (Belcak and Wattenhofer 2023)."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu, linear, one_hot

from models.layers.contracts import FeedForward, Mode
from models.layers.feedforwards.parts import require_full_width, uniform_bias, uniform_rows
from models.layers.feedforwards.routing import by_group, route
from models.layers.feedforwards.tree import chosen_leaf, decision_entropy, leaf_weights
from models.layers.precision import Converted, product_dtype

RAMP_FROM, RAMP_TO, HARD_FROM = 1 / 3, 2 / 3, 0.8
"""Shares of training: hardening rises between the first two; from the third on tokens are routed as in use."""


class FastFeedForward(FeedForward):
    """A soft mixture of 2^depth small layers while trained, one of them for each token when used, beside a master.

    y = s(k) sum_l c_l leaf_l(x) + (1 - s(k)) master(x), s the logistic function and k learned, c_l the probability of
    leaf l (Charalampopoulos et al. 2024). Every leaf has hidden width ratio * dim / 2^depth, so all leaves together are
    as wide as the GELU layer; the master, which all tokens pass, adds `master_width`.

    Training goes in three phases (`schedule`): leaves share the tokens evenly by a balance loss; decisions harden by
    an entropy loss that rises while the balance loss falls; at last decisions are hard, with the gradient of the soft
    ones, so that training sees what is run.

    Args:
        dim: Token width.
        ratio: Hidden width of all leaves together over token width.
        depth: Decisions on the way to a leaf.
        master_width: Hidden width of the master; None for a 48th of all leaves in steps of 8, the width of the paper. 0
            leaves it out.
        activation: Of the hidden units.
        balance: Weight of the balance loss at first.
        hardening: Weight of the entropy loss at last.
        leak: Probability with which a decision is turned round while training ("region leak").
        seed: Of the leak; together with the progress of training it gives the draw, so that recomputing a forward
            pass repeats it.
    """

    def __init__(
        self,
        dim: int,
        ratio: float = 4.0,
        depth: int = 2,
        *,
        master_width: int | None = None,
        activation: Callable[[Tensor], Tensor] = gelu,
        balance: float = 1.0,
        hardening: float = 3.0,
        leak: float = 0.0,
        seed: int = 0,
    ):
        super().__init__(dim)
        self.dim, self.depth, self.num_leaves, self.activation = dim, depth, 2**depth, activation
        self.leaf_width = max(1, round(ratio * dim / self.num_leaves))
        self.master_width = 8 * max(1, round(ratio * dim / 48 / 8)) if master_width is None else master_width
        self.balance, self.hardening, self.leak, self.seed = balance, hardening, leak, seed
        self.progress = 0.0
        self.finalised = False
        self._converted = Converted()
        num_nodes, num_units = self.num_leaves - 1, self.num_leaves * self.leaf_width
        self.node_weight, self.node_bias = uniform_rows(num_nodes, dim, dim), uniform_bias(num_nodes, dim)
        self.up, self.up_bias = uniform_rows(num_units, dim, dim), uniform_bias(num_units, dim)
        self.down = uniform_rows(num_units, dim, self.leaf_width)
        self.down_bias = uniform_bias(self.num_leaves * dim, self.leaf_width)
        if self.master_width:
            self.master_up = uniform_rows(self.master_width, dim, dim)
            self.master_down = uniform_rows(self.master_width, dim, self.master_width)
            self.mix = nn.Parameter(torch.tensor(0.5))
        self._aux: dict[str, Float[Tensor, ""]] = {}

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The update from normed tokens; every token goes its own way."""
        require_full_width(width)
        x = normed.reshape(-1, self.dim)
        if self.finalised:
            return self._one_leaf(x).view(normed.shape)
        out = self._all_leaves(x) if self.training else self._one_leaf(x)
        if self.master_width:
            master = self.activation(linear(x, self.master_up)) @ self.master_down
            out = torch.lerp(master, out.to(master.dtype), self.mix.sigmoid().to(master.dtype))
        return out.view(normed.shape)

    def leaves_of(self, normed: Float[Tensor, "*batch dim"]) -> Int[Tensor, " tokens"]:
        """The leaf that every token reaches when the layer is used."""
        return chosen_leaf(self._logits(normed.reshape(-1, self.dim)), self.depth)

    def _logits(self, x: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens nodes"]:
        return linear(x, self.node_weight, self.node_bias)

    def _all_leaves(self, x: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens dim"]:
        """The mixture, as two large products; keeps the loss terms."""
        logits = self._logits(x)
        right = logits.sigmoid()
        weights = leaf_weights(self._leaked(right), self.depth)
        used = one_hot(chosen_leaf(logits, self.depth), self.num_leaves).to(weights.dtype)
        self._keep_losses(logits, weights, used)
        if self.progress >= HARD_FROM:
            weights = used + weights - weights.detach()
        hidden = self.activation(linear(x, self.up, self.up_bias))
        weighted = hidden.unflatten(-1, (self.num_leaves, self.leaf_width)) * weights[..., None]
        return weighted.flatten(1) @ self.down + weights @ self.down_bias.view(self.num_leaves, self.dim)

    def _one_leaf(self, x: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens dim"]:
        """The chosen leaf of every token, leaf by leaf."""
        leaves, weights = self.leaves_of(x), (self.up, self.up_bias, self.down, self.down_bias)
        if self.finalised:  # else weights may change in ways that are not seen
            x = x.to(product_dtype(x))
            weights = self._converted.to(x.dtype, *weights)
        up, up_bias, down, down_bias = (rows.chunk(self.num_leaves) for rows in weights)

        def leaf(index: int, tokens: Float[Tensor, "group dim"]) -> Float[Tensor, "group dim"]:
            hidden = self.activation(linear(tokens, up[index], up_bias[index]))
            return torch.addmm(down_bias[index], hidden, down[index])

        return by_group(x, route(leaves, self.num_leaves), leaf)

    def _leaked(self, right: Float[Tensor, "tokens nodes"]) -> Float[Tensor, "tokens nodes"]:
        if self.leak == 0 or self.progress >= HARD_FROM:
            return right
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + round(self.progress * 2**30))
        turned = torch.rand(right.shape, generator=generator).to(right.device) < self.leak
        return torch.where(turned, 1 - right, right)

    def _keep_losses(
        self,
        logits: Float[Tensor, "tokens nodes"],
        weights: Float[Tensor, "tokens leaves"],
        used: Float[Tensor, "tokens leaves"],
    ) -> None:
        """Hardening: mean entropy of decisions. Balance: leaves * sum(soft usage * hard usage), 1 when even."""
        ramp = min(1.0, max(0.0, (self.progress - RAMP_FROM) / (RAMP_TO - RAMP_FROM)))
        self._aux = {}
        if ramp < 1:
            balance = self.num_leaves * (weights.mean(dim=0) * used.mean(dim=0)).sum()
            self._aux["balance"] = (1 - ramp) * self.balance * balance
        if ramp > 0 and self.depth:
            self._aux["hardening"] = ramp * self.hardening * decision_entropy(logits).mean()

    def aux_losses(self) -> dict[str, Float[Tensor, ""]]:
        """`balance` and `hardening` of the last training forward, as far as they count at this progress."""
        return self._aux

    def schedule(self, progress: float) -> None:
        """Set the share of training that is done."""
        self.progress = progress

    def macs(self, num_tokens: int, mode: Mode) -> int:
        """All leaves while trained, one when used; the decisions and the master always."""
        soft = mode == "train" and not self.finalised
        leaves = self.num_leaves if soft else 1
        per_token = 2 * leaves * self.leaf_width + self.num_leaves - 1 + 2 * self.master_width
        return num_tokens * self.dim * (per_token + (self.num_leaves if soft else 0))

    @torch.no_grad()
    def finalise(self) -> None:
        """Harden for good; the master becomes units of every leaf, so that each token costs two products."""
        if self.finalised:
            return
        self.finalised = True
        if not self.master_width:
            return
        leaf, master = self.mix.sigmoid(), 1 - self.mix.sigmoid()
        self.up = self._with_master(self.up, self.master_up)
        self.up_bias = self._with_master(self.up_bias, torch.zeros_like(self.master_up[:, 0]))
        self.down = self._with_master(leaf * self.down, master * self.master_down)
        self.down_bias = nn.Parameter(leaf * self.down_bias)
        self.leaf_width += self.master_width
        self.master_width = 0
        del self.master_up, self.master_down, self.mix

    def _with_master(self, rows: Tensor, master: Tensor) -> nn.Parameter:
        """The rows of every leaf with those of the master below."""
        joined = [torch.cat([leaf, master]) for leaf in rows.chunk(self.num_leaves)]
        return nn.Parameter(torch.cat(joined))
