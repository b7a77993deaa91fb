"""The usual feed-forward layer of transformers."""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import gelu

from models.layers.contracts import FeedForward, MakeLinear, Mode
from models.layers.feedforwards.parts import macs_of, require_full_width
from models.layers.linears.dense import Dense
from models.layers.linears.self_guided import finalise_guides, schedule_guides


class GeluFeedForward(FeedForward):
    """Pre-normed two-layer perceptron with exact GELU: W2 gelu(W1 x), no biases unless `make` gives them.

    Args:
        dim: Token width.
        ratio: Hidden width over token width.
        make: Builder of the two linear maps.
    """

    def __init__(self, dim: int, ratio: float = 4.0, make: MakeLinear = Dense):
        super().__init__(dim)
        self.hidden_width = round(ratio * dim)
        self.fc1 = make(dim, self.hidden_width)
        self.fc2 = make(self.hidden_width, dim)

    def hidden(self, normed: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch hidden"]:
        """Activations of the hidden units."""
        return gelu(self.fc1(normed))

    def update(
        self,
        normed: Float[Tensor, "batch length dim"],
        *,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """The update from normed tokens; all tokens are treated alike."""
        require_full_width(width)
        return self.fc2(self.hidden(normed))

    def macs(self, num_tokens: int, mode: Mode) -> int:
        """Both maps for every token."""
        return num_tokens * macs_of(self.fc1, self.fc2)

    def schedule(self, progress: float) -> None:
        """Tell self-guided linear maps how far training is."""
        schedule_guides(self, progress)

    def finalise(self) -> None:
        """Drop the guides of self-guided linear maps."""
        finalise_guides(self)
