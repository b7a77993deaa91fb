"""A transformer block: attention and a feed-forward layer, each added to the tokens."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from models.layers.attentions import make_attention
from models.layers.config import BlockConfig
from models.layers.contracts import Attention, FeedForward, Layout
from models.layers.feedforwards import make_feed_forward
from models.layers.linears import schedule_guides
from models.layers.weight_condition import condition_weights, settle_weights


class Block(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x)); side by side from one norm if `config.parallel`.

    Args:
        config: What it is made of.
        dim: Token width.
        head_dim: Width of one head.
        attention: Instead of the self-attention of the config.
        names: Of attention and feed-forward layer among the parameters.
    """

    def __init__(
        self,
        config: BlockConfig,
        dim: int,
        head_dim: int,
        *,
        attention: Attention | None = None,
        names: tuple[str, str] = ("attn", "mlp"),
    ):
        super().__init__()
        self.parallel, self._names = config.parallel, names
        self.add_module(names[0], make_attention(config.attention, dim, head_dim) if attention is None else attention)
        self.add_module(names[1], make_feed_forward(config.feed_forward, dim))
        if config.parallel:
            self.feed_forward.norm = nn.Identity()
        if config.weight_condition:
            condition_weights(self)

    @property
    def attention(self) -> Attention:
        """The attention layer."""
        return getattr(self, self._names[0])

    @property
    def feed_forward(self) -> FeedForward:
        """The feed-forward layer."""
        return getattr(self, self._names[1])

    def forward(
        self,
        tokens: Float[Tensor, "batch length dim"],
        memory: Float[Tensor, "batch keys dim"] | None = None,
        *,
        layout: Layout | None = None,
        group_ids: Int[Tensor, "*batch length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch length dim"]:
        """Updated tokens.

        Args:
            tokens: One sequence for each scene.
            memory: What is attended to, for blocks with cross-attention.
            layout: How the tokens that are attended to are arranged.
            group_ids: As those of `FeedForward.update`.
            width: As that of `FeedForward.update`.
        """
        if self.parallel:
            normed = self.attention.norm(tokens)
            mixed = self.attention.update(normed, memory, layout=layout, group_ids=group_ids)
            return tokens + mixed + self.feed_forward.update(normed, group_ids=group_ids, width=width)
        tokens = tokens + self.attention(tokens, memory, layout=layout, group_ids=group_ids)
        return tokens + self.feed_forward(tokens, group_ids=group_ids, width=width)

    def aux_losses(self) -> dict[str, Float[Tensor, ""]]:
        """Loss terms of both layers in the last training forward, already weighted."""
        return self.attention.aux_losses() | self.feed_forward.aux_losses()

    def schedule(self, progress: float) -> None:
        """Tell both layers how far training is, 0 to 1."""
        schedule_guides(self.attention, progress)
        self.feed_forward.schedule(progress)

    def finalise(self) -> None:
        """From the form that is trained to the form that is used, in place."""
        settle_weights(self)
        self.attention.finalise()
        self.feed_forward.finalise()
