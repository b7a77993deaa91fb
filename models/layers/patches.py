"""Between images and sequences of patches."""

from einops import rearrange
from jaxtyping import Float
from torch import Tensor


def patchify(
    image: Float[Tensor, "*batch height width channels"], patch: int
) -> Float[Tensor, "*batch patches patch_channels"]:
    """Non-overlapping patches in row order; inside a patch the order is (row, column, channel)."""
    return rearrange(image, "... (h p) (w q) c -> ... (h w) (p q c)", p=patch, q=patch)


def unpatchify(
    tokens: Float[Tensor, "*batch patches patch_channels"], patch: int, height: int, width: int
) -> Float[Tensor, "*batch height width channels"]:
    """Inverse of `patchify`; height and width are those of the image."""
    return rearrange(
        tokens, "... (h w) (p q c) -> ... (h p) (w q) c", p=patch, q=patch, h=height // patch, w=width // patch
    )
