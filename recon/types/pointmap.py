"""Per-pixel 3D points."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from recon.types.checks import require_finite, require_shape


@dataclass(frozen=True)
class PointMap:
    """One 3D point for every pixel of N views, all in one world frame.

    Attributes:
        points: World coordinates; meaningless where not valid.
        confidence: >= 0, larger is surer.
        valid: False where there is no point.
    """

    points: Float[Tensor, "views height width 3"]
    confidence: Float[Tensor, "views height width"]
    valid: Bool[Tensor, "views height width"]

    def validate(self) -> "PointMap":
        """Return self, or raise GeometryError."""
        num, height, width, _ = self.points.shape
        require_shape("points", self.points, (num, height, width, 3))
        require_shape("confidence", self.confidence, (num, height, width))
        require_shape("valid", self.valid, (num, height, width))
        require_finite("points", self.points[self.valid])
        require_finite("confidence", self.confidence[self.valid])
        return self
