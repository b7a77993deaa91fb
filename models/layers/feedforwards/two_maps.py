"""What feed-forward layers of two linear maps have in common."""

from abc import abstractmethod
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor

from models.layers.contracts import FeedForward, MakeLinear, Mode
from models.layers.feedforwards.parts import require_full_width
from models.layers.linears.dense import Dense
from models.layers.linears.self_guided import finalise_guides, schedule_guides
from models.layers.macs import macs_of


class TwoMaps(FeedForward):
    """W2 h(W1 x), without biases unless `make` gives them; subclasses say what the hidden units do.

    Args:
        dim: Token width.
        hidden_width: Hidden units.
        make: Builder of the two linear maps.

    Attributes:
        numbers_per_unit: Of every hidden unit, from the first map: all first numbers, then all second ones.
    """

    numbers_per_unit: ClassVar[int] = 1

    def __init__(self, dim: int, hidden_width: int, make: MakeLinear = Dense):
        super().__init__(dim)
        self.hidden_width = hidden_width
        self.fc1 = make(dim, self.numbers_per_unit * hidden_width)
        self.fc2 = make(hidden_width, dim)

    @abstractmethod
    def activated(self, *numbers: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch units"]:
        """Activations of hidden units from their first numbers, their second ones, and so on."""

    def hidden(self, normed: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch hidden"]:
        """Activations of all hidden units."""
        return self.activated(*self.fc1(normed).chunk(self.numbers_per_unit, dim=-1))

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
