"""Feed-forward layers."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu


class FeedForward(nn.Module):
    """Pre-normed two-layer perceptron with exact GELU and no biases.

    Args:
        dim: Token width.
        ratio: Hidden width over token width.
    """

    def __init__(self, dim: int, ratio: int = 4):
        super().__init__()
        self.norm = nn.LayerNorm(dim, bias=False)
        self.fc1 = nn.Linear(dim, ratio * dim, bias=False)
        self.fc2 = nn.Linear(ratio * dim, dim, bias=False)

    def forward(self, tokens: Float[Tensor, "batch length dim"]) -> Float[Tensor, "batch length dim"]:
        """The update to add to `tokens`."""
        return self.fc2(gelu(self.fc1(self.norm(tokens))))
