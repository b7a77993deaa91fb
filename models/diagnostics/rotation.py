"""How far training has turned a layer away from where it began."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

CHANCE = 4.0
"""Standard deviations of the cosine of unrelated vectors, above which two layers are taken to be related."""


def layer_rotation(weight: Float[Tensor, "*shape"], reference: Float[Tensor, "*shape"]) -> float | None:
    """1 - cosine between the numbers of a layer now and then: 0 not turned, 1 at a right angle, 2 opposite.

    Layers of networks that generalise well end near 1, all alike (Carbonnelle and De Vleeschouwer 2019, section 3).

    Returns:
        None where either is all zeros: zeros have no direction.
    """
    a, b = weight.detach().double().flatten(), reference.detach().double().flatten()
    scale = torch.linalg.vector_norm(a) * torch.linalg.vector_norm(b)
    return 1 - float(a @ b / scale) if scale > 0 else None


def is_chance(rotation: float, num_numbers: int) -> bool:
    """Whether vectors of that many numbers that have nothing to do with each other may well have such an angle.

    The cosine of independent random directions has standard deviation 1 / sqrt(n). A layer that is compared with an
    initialisation that it never had is at a right angle to it too.
    """
    return abs(1 - rotation) < CHANCE / math.sqrt(num_numbers)
