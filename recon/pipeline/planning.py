"""Whether a run fits into memory, decided before it begins."""

from recon.errors import ResourceError
from recon.pipeline.free_memory import free_memory_bytes
from recon.pipeline.protocols import GaussianReconstructor

BYTES_PER_REFINED_GAUSSIAN = 700
"""Parameters, gradients, two moments, the best state so far, and what the rasteriser keeps for the way back."""
HEADROOM = 0.85
"""Share of the free memory that a run may plan with."""


def views_that_fit(
    reconstructor: GaussianReconstructor, wanted: int, height: int, width: int, *, available: int | None = None
) -> int:
    """As many views, from two to `wanted`, as the network may be given together in the free memory.

    Args:
        reconstructor: The network.
        wanted: Views that it would be given if memory were no matter.
        height: Of the canvas, pixels.
        width: Of the canvas, pixels.
        available: Free memory in bytes; `free_memory_bytes` by default.
    """
    free = free_memory_bytes() if available is None else available
    fitting = (n for n in range(wanted, 2, -1) if reconstructor.memory_bytes(n, height, width) <= HEADROOM * free)
    return next(fitting, 2)


def require_memory(
    reconstructor: GaussianReconstructor,
    num_views: int,
    height: int,
    width: int,
    *,
    num_refined: int = 0,
    available: int | None = None,
) -> int:
    """Bytes that a run will need at its peak, of the network or of refinement.

    Args:
        reconstructor: The network.
        num_views: Views that it is given together.
        height: Of the canvas, pixels.
        width: Of the canvas, pixels.
        num_refined: Gaussians that refinement may have to change.
        available: Free memory in bytes; `free_memory_bytes` by default.

    Raises:
        ResourceError: More than the machine has free; the hint says how many views or pixels would fit.
    """
    free = free_memory_bytes() if available is None else available
    need = reconstructor.memory_bytes(num_views, height, width)
    refining = num_refined * BYTES_PER_REFINED_GAUSSIAN
    if refining > max(need, HEADROOM * free):
        raise ResourceError(
            f"refining up to {num_refined:,} Gaussians needs about {refining / 2**30:.1f} GiB, "
            f"{free / 2**30:.1f} GiB are free",
            hint="use a smaller --quality or --resolution, or --refine 0",
        )
    if need > HEADROOM * free:
        per_view = need / num_views
        fitting = int(HEADROOM * free / per_view)
        smaller = int(max(height, width) * (HEADROOM * free / need) ** 0.5) // 16 * 16
        raise ResourceError(
            f"{num_views} views of {width}x{height} need about {need / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free",
            hint=f"use --views {max(fitting, 2)} or --resolution {max(smaller, 64)}",
        )
    return max(need, refining)
