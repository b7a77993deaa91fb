"""Linear layers that remember a random projection of their input instead of the input (Bershatsky et al. 2022)."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import linear

from models.layers.linears.dense import Dense
from recon.errors import InputError


class RandomisedLinear(Dense):
    """A plain matrix whose training keeps S X, a share of the rows of X, to estimate the gradient of the weights.

    S has signs of even chances over sqrt(rows of S), so that the expectation of S^T S is the identity and that of
    (S G)^T (S X) is the exact gradient G^T X. Outputs and gradients of the input are exact. Saves memory, not time.

    Args:
        in_features: n, the width of the input.
        out_features: m, the width of the output.
        share: Rows of S over rows of X, above 0 and below 1.
        bias: Whether a bias is added.
        seed: Of the layer's own random numbers; two layers with one seed draw the same signs.

    Raises:
        InputError: `share` is no share.
    """

    def __init__(self, in_features: int, out_features: int, share: float, *, bias: bool = False, seed: int = 0):
        super().__init__(in_features, out_features, bias=bias)
        if not 0 < share < 1:
            raise InputError(
                f"share: {share:g} of the rows, expected above 0 and below 1", hint="0.2 keeps a fifth of the input"
            )
        self.share = share
        self._generator = torch.Generator().manual_seed(seed)

    @classmethod
    def around(cls, linear: Dense, share: float, *, seed: int = 0) -> "RandomisedLinear":
        """The layer with the parameters of a plain one; other arguments as those of the class."""
        with torch.device("meta"):
            layer = cls(linear.in_features, linear.out_features, share, bias=linear.bias is not None, seed=seed)
        layer.weight, layer.bias = linear.weight, linear.bias
        return layer.train(linear.training)

    def reseed(self, seed: int) -> None:
        """Begin the layer's own random numbers anew."""
        self._generator.manual_seed(seed)

    def forward(self, input: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The image of x; new random numbers for every training step."""
        rows = input.reshape(-1, self.in_features)
        kept = max(round(self.share * len(rows)), 1)
        if not torch.is_grad_enabled() or kept >= len(rows):
            return linear(input, self.weight, self.bias)
        seed = torch.randint(2**62, (), generator=self._generator)
        if torch.is_autocast_enabled(rows.device.type):
            kind = torch.get_autocast_dtype(rows.device.type)
            rows, weight = rows.to(kind), self.weight.to(kind)
            bias = None if self.bias is None else self.bias.to(kind)
        else:
            weight, bias = self.weight, self.bias
        y = _RandomisedProduct.apply(rows, weight, kept, seed)
        y = y if bias is None else y + bias
        return y.view(*input.shape[:-1], self.out_features)


class _RandomisedProduct(torch.autograd.Function):
    """X W^T with an unbiased estimate of the gradient of W.

    The seed is saved as a tensor beside the projection that it made: where activations are recomputed in the backward
    pass, all that was saved is replaced, and with other signs than those of the projection the estimate would be noise.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, kept: int, seed: Tensor) -> Tensor:
        ctx.kept = kept
        ctx.save_for_backward(weight, _signs(seed, kept, rows) @ rows, seed)
        return linear(rows, weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (grad,) = grads
        weight, projected, seed = ctx.saved_tensors
        to_rows = grad @ weight if ctx.needs_input_grad[0] else None
        to_weight = None
        if ctx.needs_input_grad[1]:
            to_weight = (_signs(seed, ctx.kept, grad) @ grad).mT @ projected
        return to_rows, to_weight, None, None


def _signs(seed: Int[Tensor, ""], kept: int, rows: Tensor) -> Float[Tensor, "kept num_rows"]:
    """S: the same for one seed, on every device, for inputs and for gradients."""
    generator = torch.Generator().manual_seed(int(seed))
    signs = torch.randint(2, (kept, len(rows)), generator=generator, dtype=torch.int8)
    return (signs.to(rows.device, rows.dtype) * 2 - 1) * kept**-0.5
