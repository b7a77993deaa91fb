"""What a training step keeps for its backward pass, by formulas.

They hold for the published network with blocks as published, whose attention is fused. Its residual stream, its norms,
positions and all of the loss are float32; what its matrices take and give is float32 or bfloat16.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from models.ilrm.config import ILRMConfig
from recon.vgg.network import VGGLayout

FLOAT = 4
"""Bytes of a float32 number."""
PAIR_BYTES = 80
"""What a rasteriser keeps of a Gaussian for each target, beside its tile lists.

gsplat 1.5: 81 bytes (radii, centre, conic, direction, coefficients, colour before and after the clamp, opacity, mask).
That of the CPU: 76 bytes (record, count, offset).
"""
NOT_COUNTED = (
    "tile lists of the rasteriser (4 to 10 bytes for each tile that a Gaussian touches), other terms of the loss, "
    "gradients of activations, copies of weights in bfloat16, workspace of libraries"
)


class Kept(NamedTuple):
    """Bytes that one sample takes until the backward pass has used them.

    Attributes:
        network: By part of the network.
        loss: By part of rendering and loss; gone when the backward pass reaches the network.
        recomputed: Of one block whose input alone is in `network`, when the backward pass reaches it.
    """

    network: dict[str, int]
    loss: dict[str, int]
    recomputed: int

    @property
    def most(self) -> int:
        """At the larger of both moments."""
        return sum(self.network.values()) + max(sum(self.loss.values()), self.recomputed)


def network_bytes(sizes: ILRMConfig, viewpoint: int, image: int, product: int) -> tuple[dict[str, int], int]:
    """`Kept.network` and `Kept.recomputed` of the published network.

    Args:
        sizes: Of the network.
        viewpoint: Viewpoint tokens of a sample.
        image: Its image tokens.
        product: Bytes of a number in matrix products, 2 or 4.
    """
    area, gaussians = sizes.patch**2, viewpoint * sizes.patch**2
    read = block_bytes(sizes, viewpoint, viewpoint * sizes.uplift, image, product)
    share = block_bytes(sizes, viewpoint, viewpoint, viewpoint, product)
    inputs = 2 * FLOAT * viewpoint * sizes.dim
    # Patches as the matrices take them, tokens before the norm, and image tokens after it.
    tokens = viewpoint * (product * sizes.ray_channels * area + FLOAT * sizes.dim)
    tokens += image * (product * (sizes.ray_channels + 3) * area + 2 * FLOAT * sizes.dim)
    head = viewpoint * sizes.dim * (FLOAT + product)
    # Of each Gaussian: the head's numbers, what their activations keep, and what the rasteriser takes.
    numbers = sizes.gaussian_channels + (31 if sizes.pixel_offset else 23)
    parts = {
        "update layers": sizes.num_layers * (inputs if sizes.checkpointing else read + share),
        "tokens": tokens,
        "Gaussians": head + FLOAT * numbers * gaussians,
    }
    return parts, max(read, share) if sizes.checkpointing else 0


def block_bytes(sizes: ILRMConfig, tokens: int, queries: int, keys: int, product: int) -> int:
    """What a read block or a share block keeps.

    Args:
        sizes: Of the network.
        tokens: That the block updates.
        queries: Tokens times sub-queries.
        keys: Tokens that are attended to.
        product: Bytes of a number in matrix products, 2 or 4.
    """
    around = tokens * (FLOAT + product)  # before the norm of a layer, and after it
    # Queries before their norm, inside it and as attention takes them; answers, and as the projection takes them.
    attention = queries * (2 * FLOAT + 3 * product) + keys * (2 * FLOAT + 2 * product)
    if product < FLOAT:  # copies: image tokens for two projections, or the joint projection that values are a part of
        attention += 2 * product * keys
    hidden = 2 * product * sizes.block.feed_forward.ratio * tokens  # before GELU and after it
    return round(sizes.dim * (2 * around + attention + hidden))


def perceptual_bytes(layout: VGGLayout, height: int, width: int) -> int:
    """What the perceptual term keeps of one target, in float32.

    Args:
        layout: Of the backbone.
        height: Of the target in pixels.
        width: Of the target in pixels.
    """
    numbers, channels = 3 * height * width, 3  # the difference of the pictures
    for block, (names, own) in enumerate(zip(layout.names, layout.widths, strict=True)):
        # What enters the block, every ReLU, and the difference of the features.
        numbers += (height >> block) * (width >> block) * (channels + (len(names) + 1) * own)
        channels = own
    return FLOAT * numbers


def count_kept(compute: Callable[[], object], known: Iterable[Tensor]) -> int:
    """Bytes of all tensors that a computation keeps for a backward pass, its own or one within.

    Args:
        compute: The computation.
        known: Tensors that are there anyway, such as weights.
    """
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor  # held until the backward pass, so no other tensor gets its place

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        _alive = compute()
    there = {tensor.untyped_storage().data_ptr() for tensor in known}
    return sum(size for place, size in kept.items() if place not in there)
