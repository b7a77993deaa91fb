"""The nouns of the project: frozen dataclasses of tensors, each with `validate()`."""

from recon.types.cameras import Cameras
from recon.types.gaussians import Gaussians
from recon.types.mesh import Mesh
from recon.types.photographs import Photograph, PoseEstimate, PoseReport
from recon.types.pointmap import PointMap
from recon.types.scene import Provenance, Scene
from recon.types.views import ViewSet

__all__ = [
    "Cameras",
    "Gaussians",
    "Mesh",
    "Photograph",
    "PointMap",
    "PoseEstimate",
    "PoseReport",
    "Provenance",
    "Scene",
    "ViewSet",
]
