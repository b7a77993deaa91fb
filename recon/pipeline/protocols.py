"""What the pipeline needs from pose estimators and networks."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from recon.types import Gaussians, Photograph, PoseEstimate, ViewSet


@runtime_checkable
class PoseEstimator(Protocol):
    """Finds cameras for photographs.

    Attributes:
        fingerprint: Tells estimators apart whose results may differ.
    """

    fingerprint: str

    def estimate(
        self,
        photographs: list[Photograph],
        *,
        seed: int = 0,
        progress: Callable[[str, float], None] = lambda message, done: None,
    ) -> PoseEstimate:
        """Cameras of those photographs that can be placed in one world.

        Args:
            photographs: Upright, in their order.
            seed: Of all random choices.
            progress: Told in words what is being done, and the part of it all that is done, 0..1.

        Raises:
            PoseError: No two of them can.
        """
        ...


@runtime_checkable
class GaussianReconstructor(Protocol):
    """Turns posed views into Gaussians.

    Attributes:
        name: Name of the network.
        weights_sha256: Hash of its weights file.
        multiple: Divides the sides of the images it takes.
        max_views: Views at a time that it is good with.
    """

    name: str
    weights_sha256: str
    multiple: int
    max_views: int

    def reconstruct(self, views: ViewSet, *, points: Float[Tensor, "points 3"] | None = None) -> Gaussians:
        """Gaussians in the frame and scale of the views' cameras.

        Args:
            views: At least two, with cameras.
            points: Sparse surface points in the world, which tell the depth range, if known.
        """
        ...

    def memory_bytes(self, num_views: int, height: int, width: int) -> int:
        """Peak memory that `reconstruct` needs beyond what is held already; an upper estimate."""
        ...
