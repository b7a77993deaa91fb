"""A finished reconstruction."""

from dataclasses import dataclass, field
from typing import Any, Literal

from recon.types.cameras import Cameras
from recon.types.gaussians import Gaussians
from recon.types.mesh import Mesh
from recon.types.pointmap import PointMap
from recon.types.views import ViewSet


@dataclass(frozen=True)
class Provenance:
    """Where a scene comes from, so that anybody can make it again.

    Attributes:
        model: Name of the network.
        weights_sha256: Hash of its weights file.
        pose_source: How the cameras were found: given, sfm, ...
        config: Every option that shaped the result.
        versions: Library name to version.
        seed: Seed of all random choices.
    """

    model: str
    weights_sha256: str
    pose_source: str
    config: dict[str, Any]
    versions: dict[str, str]
    seed: int


@dataclass(frozen=True)
class Scene:
    """What a reconstruction consists of, in one world frame.

    Attributes:
        views: The photographs that the scene was made from, with their cameras.
        gaussians: The appearance.
        points: Sparse or dense points, if any.
        mesh: The surface, if any.
        up: World direction that is up, if known.
        unit: "given" when the frame is the one of the given poses, "metre", or "arbitrary".
        provenance: How it was made.
        report: Measured facts for people: registered images, errors, seconds.
    """

    views: ViewSet
    gaussians: Gaussians
    provenance: Provenance
    points: PointMap | None = None
    mesh: Mesh | None = None
    up: tuple[float, float, float] | None = None
    unit: Literal["given", "metre", "arbitrary"] = "arbitrary"
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def cameras(self) -> Cameras:
        """Cameras of the views."""
        if self.views.cameras is None:
            raise ValueError("a finished scene has cameras")
        return self.views.cameras
