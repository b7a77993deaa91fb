"""Triangle meshes."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from recon.errors import GeometryError
from recon.types.checks import require_finite, require_shape


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh; faces wind counter-clockwise seen from outside.

    Attributes:
        vertices: World coordinates.
        faces: Vertex indices.
        normals: Unit vertex normals.
        vertex_colors: sRGB, 0..1.
        uv: Texture coordinates, (0, 0) at the lower left.
        texture: sRGB image, 0..1.
    """

    vertices: Float[Tensor, "vertices 3"]
    faces: Int[Tensor, "faces 3"]
    normals: Float[Tensor, "vertices 3"] | None = None
    vertex_colors: Float[Tensor, "vertices 3"] | None = None
    uv: Float[Tensor, "vertices 2"] | None = None
    texture: Float[Tensor, "height width 3"] | None = None

    def validate(self) -> "Mesh":
        """Return self, or raise GeometryError."""
        require_shape("vertices", self.vertices, (None, 3))
        require_shape("faces", self.faces, (None, 3))
        require_finite("vertices", self.vertices)
        num = len(self.vertices)
        for name, width in (("normals", 3), ("vertex_colors", 3), ("uv", 2)):
            value = getattr(self, name)
            if value is not None:
                require_shape(name, value, (num, width))
                require_finite(name, value)
        if len(self.faces) and not (int(self.faces.min()) >= 0 and int(self.faces.max()) < num):
            raise GeometryError(f"faces name vertices outside 0..{num - 1}")
        return self
