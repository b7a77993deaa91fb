"""The update layers of iLRM (section 3.2): viewpoint tokens read their own image, then talk to all views."""

from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from models.layers.attention import CrossAttention, SelfAttention
from models.layers.feedforward import FeedForward


class ReadBlock(nn.Module):
    """Per-view cross-attention to the image tokens of the same view, then a feed-forward layer."""

    def __init__(self, dim: int, head_dim: int, uplift: int):
        super().__init__()
        self.read_cross = CrossAttention(dim, head_dim, uplift)
        self.read_ff = FeedForward(dim)

    def forward(
        self, tokens: Float[Tensor, "batch views length dim"], memory: Float[Tensor, "batch views keys dim"]
    ) -> Float[Tensor, "batch views length dim"]:
        """Updated viewpoint tokens; views are independent of each other."""
        num_views = tokens.shape[1]
        x = rearrange(tokens, "b v n d -> (b v) n d")
        x = x + self.read_cross(x, rearrange(memory, "b v m d -> (b v) m d"))
        x = x + self.read_ff(x)
        return rearrange(x, "(b v) n d -> b v n d", v=num_views)


class ShareBlock(nn.Module):
    """Self-attention over the viewpoint tokens of all views together, then a feed-forward layer."""

    def __init__(self, dim: int, head_dim: int):
        super().__init__()
        self.attn = SelfAttention(dim, head_dim)
        self.mlp = FeedForward(dim)

    def forward(
        self, tokens: Float[Tensor, "batch views length dim"], memory: Float[Tensor, "batch views keys dim"]
    ) -> Float[Tensor, "batch views length dim"]:
        """Updated viewpoint tokens; `memory` is not used here and keeps one signature for all blocks."""
        num_views = tokens.shape[1]
        x = rearrange(tokens, "b v n d -> b (v n) d")
        x = x + self.attn(x)
        x = x + self.mlp(x)
        return rearrange(x, "b (v n) d -> b v n d", v=num_views)


class Processor(nn.Module):
    """`num_layers` update layers, each a read block and a share block.

    Args:
        dim: Token width.
        head_dim: Width of one attention head.
        num_layers: Update layers; twice as many blocks.
        uplift: Sub-queries per viewpoint token in the read blocks.
        checkpointing: Recompute activations in the backward pass to save memory.
    """

    def __init__(self, dim: int, head_dim: int, num_layers: int, uplift: int = 1, *, checkpointing: bool = False):
        super().__init__()
        self.checkpointing = checkpointing
        pairs = [(ReadBlock(dim, head_dim, uplift), ShareBlock(dim, head_dim)) for _ in range(num_layers)]
        self.blocks = nn.ModuleList([block for pair in pairs for block in pair])

    def forward(
        self, tokens: Float[Tensor, "batch views length dim"], memory: Float[Tensor, "batch views keys dim"]
    ) -> Float[Tensor, "batch views length dim"]:
        """Viewpoint tokens after all layers; the image tokens `memory` stay fixed."""
        for block in self.blocks:
            if self.checkpointing and tokens.requires_grad:
                tokens = checkpoint(block, tokens, memory, use_reentrant=False)
            else:
                tokens = block(tokens, memory)
        return tokens


def init_normal(module: nn.Module, std: float = 0.02) -> None:
    """Draw every linear weight from N(0, std) (iLRM section 4.1)."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=std)
