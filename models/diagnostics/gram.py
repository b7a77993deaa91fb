"""Upper bound of the largest singular value, without a decomposition and differentiable."""

import torch
from jaxtyping import Float
from torch import Tensor


def spectral_norm_bound(matrix: Float[Tensor, "rows columns"], iterations: int = 6) -> Float[Tensor, ""]:
    """Gram iteration (Delattre et al. 2023, algorithm 1): squaring W^T W makes the largest singular value prevail.

    The Frobenius norm bounds the spectral norm of the power G = (W^T W)^(2^(N-1)); its root of order 2^N is taken. The
    bound is too large by a factor of at most r^(1 / 2^(N+1)) for rank r, 4.5 % for rank 256 and six iterations. Norms
    are divided out on the way and kept as logarithms, so that nothing overflows.

    Args:
        matrix: A layer.
        iterations: N, at least 0; 0 gives the Frobenius norm.
    """
    gram = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    log_scale = gram.new_zeros(())
    for _ in range(iterations):
        norm: Tensor = torch.linalg.matrix_norm(gram)
        if not norm:
            return norm
        unit = gram / norm
        gram, log_scale = unit.T @ unit, 2 * (log_scale + norm.log())
    norm: Tensor = torch.linalg.matrix_norm(gram)
    return ((norm.log() + log_scale) / 2**iterations).exp() if norm else norm
