"""The update layers of iLRM (section 3.2): viewpoint tokens read their own image, then talk to all views."""

from dataclasses import replace
from typing import cast

from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from models.layers.attentions import CrossAttention
from models.layers.block import Block
from models.layers.config import BlockConfig
from models.layers.contracts import Layout
from models.layers.fixed_point import refine
from models.layers.weight_condition import stored_weight

PUBLISHED = BlockConfig()


class ReadBlock(Block):
    """Per-view cross-attention to the image tokens of the same view, then a feed-forward layer."""

    def __init__(self, dim: int, head_dim: int, uplift: int, config: BlockConfig = PUBLISHED):
        own = replace(config.attention, kind="full", registers=0, experts=1)
        cross = CrossAttention(dim, head_dim, uplift, own)
        super().__init__(config, dim, head_dim, attention=cross, names=("read_cross", "read_ff"))

    def forward(
        self,
        tokens: Float[Tensor, "batch views length dim"],
        memory: Float[Tensor, "batch views keys dim"],
        *,
        layout: Layout | None = None,
        group_ids: Int[Tensor, "batch views length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch views length dim"]:
        """Updated viewpoint tokens; views are independent of each other."""
        num_views = tokens.shape[1]
        x = rearrange(tokens, "b v n d -> (b v) n d")
        groups = None if group_ids is None else group_ids.flatten(0, 1)
        x = super().forward(x, rearrange(memory, "b v m d -> (b v) m d"), group_ids=groups, width=width)
        return rearrange(x, "(b v) n d -> b v n d", v=num_views)


class ShareBlock(Block):
    """Self-attention over the viewpoint tokens of all views together, then a feed-forward layer."""

    def __init__(self, dim: int, head_dim: int, config: BlockConfig = PUBLISHED):
        super().__init__(config, dim, head_dim)

    def forward(
        self,
        tokens: Float[Tensor, "batch views length dim"],
        memory: Float[Tensor, "batch views keys dim"],
        *,
        layout: Layout | None = None,
        group_ids: Int[Tensor, "batch views length"] | None = None,
        width: float = 1.0,
    ) -> Float[Tensor, "batch views length dim"]:
        """Updated viewpoint tokens; `memory` is not used here and keeps one signature for all blocks."""
        num_views = tokens.shape[1]
        x = rearrange(tokens, "b v n d -> b (v n) d")
        groups = None if group_ids is None else group_ids.flatten(1, 2)
        x = super().forward(x, layout=layout, group_ids=groups, width=width)
        return rearrange(x, "b (v n) d -> b v n d", v=num_views)


class Processor(nn.Module):
    """`num_layers` update layers, each a read block and a share block.

    Args:
        dim: Token width.
        head_dim: Width of one attention head.
        num_layers: Update layers; twice as many blocks.
        uplift: Sub-queries per viewpoint token in the read blocks.
        block: What the blocks are made of.
        checkpointing: Recompute activations in the backward pass to save memory.

    Attributes:
        width: Share of the hidden width that nested feed-forward layers use; training and users set it.
        finalised: Whether the blocks are in the form that is used.
    """

    def __init__(
        self,
        dim: int,
        head_dim: int,
        num_layers: int,
        uplift: int = 1,
        block: BlockConfig = PUBLISHED,
        *,
        checkpointing: bool = False,
    ):
        super().__init__()
        self.config, self.checkpointing, self.width, self.finalised = block, checkpointing, 1.0, False
        pairs = [(ReadBlock(dim, head_dim, uplift, block), ShareBlock(dim, head_dim, block)) for _ in range(num_layers)]
        self.blocks = nn.ModuleList([part for pair in pairs for part in pair])

    def forward(
        self,
        tokens: Float[Tensor, "batch views length dim"],
        memory: Float[Tensor, "batch views keys dim"],
        *,
        grid: tuple[int, int] | None = None,
        group_ids: Int[Tensor, "batch views length"] | None = None,
    ) -> Float[Tensor, "batch views length dim"]:
        """Viewpoint tokens after all layers; the image tokens `memory` stay fixed.

        Args:
            tokens: Viewpoint tokens.
            memory: Image tokens.
            grid: Rows and columns of viewpoint tokens in a view; blocks that know places need it.
            group_ids: Group of every viewpoint token, for layers with experts.

        Raises:
            InputError: What the blocks need is missing.
        """
        layout = None if grid is None else Layout(tokens.shape[1], *grid)

        def run(block: nn.Module, x: Tensor) -> Tensor:
            arguments = {"layout": layout, "group_ids": group_ids, "width": self.width}
            if self.checkpointing and x.requires_grad:
                return cast(Tensor, checkpoint(block, x, memory, use_reentrant=False, **arguments))
            return block(x, memory, **arguments)

        repeated = 2 if self.config.repeat > 1 else 0
        for block in self.blocks[: len(self.blocks) - repeated]:
            tokens = run(block, tokens)
        if not repeated:
            return tokens
        read, share = self.blocks[-2:]
        stop = 0.0 if self.training else self.config.stop
        return refine(lambda x: run(share, run(read, x)), tokens, self.config.repeat, stop).tokens

    def aux_losses(self) -> dict[str, Float[Tensor, ""]]:
        """Loss terms of all blocks in the last training forward, summed by name and already weighted."""
        total: dict[str, Tensor] = {}
        for block in self._all():
            for name, value in block.aux_losses().items():
                total[name] = total[name] + value if name in total else value
        return total

    def schedule(self, progress: float) -> None:
        """Tell all blocks how far training is, 0 to 1."""
        for block in self._all():
            block.schedule(progress)

    def finalise(self) -> None:
        """Bring all blocks from the form that is trained to the form that is used, in place."""
        for block in self._all():
            block.finalise()
        self.finalised = True

    def _all(self) -> list[Block]:
        return [cast(Block, block) for block in self.blocks]


def init_normal(module: nn.Module, std: float = 0.02) -> None:
    """Draw every linear weight from N(0, std) (iLRM section 4.1); structured matrices keep their own start."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(stored_weight(part), std=std)
