"""What every rasteriser takes and gives. Conventions are gsplat's (docs/conventions.md repeats them)."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class RasterConfig:
    """Constants of the renderer; the defaults are those of gsplat 1.5.

    Attributes:
        near_plane: Gaussians nearer than this are not seen, world units.
        far_plane: Gaussians farther than this are not seen, world units.
        eps2d: Added to the diagonal of the projected covariance, square pixels.
        radius_clip: Gaussians whose radius is not larger than this are left out, pixels.
        rasterize_mode: "antialiased" lowers opacities by what `eps2d` adds to the area (Yu et al. 2024, Mip-Splatting).
        max_alpha: Cap of the opacity in a pixel. gsplat 1.6: 0.99.
        min_compensation: m in the antialiasing factor sqrt(max(m, det / det_blurred)). gsplat 1.6: 0.005^2.
    """

    near_plane: float = 0.01
    far_plane: float = 1e10
    eps2d: float = 0.3
    radius_clip: float = 0.0
    rasterize_mode: Literal["classic", "antialiased"] = "classic"
    max_alpha: float = 0.999
    min_compensation: float = 0.0


GSPLAT_DEFAULTS = RasterConfig()


class Rendering(NamedTuple):
    """Images of all cameras.

    Attributes:
        color: Blended colours over the background.
        alpha: One minus the transmittance.
        depth: Expected z-depth, sum w z / max(alpha, 1e-10), world units; None unless asked for.
    """

    color: Float[Tensor, "cameras height width channels"]
    alpha: Float[Tensor, "cameras height width 1"]
    depth: Float[Tensor, "cameras height width 1"] | None


@runtime_checkable
class Rasterizer(Protocol):
    """A differentiable renderer of 3D Gaussians."""

    name: str

    def __call__(
        self,
        means: Float[Tensor, "gaussians 3"],
        quats: Float[Tensor, "gaussians 4"],
        scales: Float[Tensor, "gaussians 3"],
        opacities: Float[Tensor, " gaussians"],
        colors: Float[Tensor, "..."],
        viewmats: Float[Tensor, "cameras 4 4"],
        Ks: Float[Tensor, "cameras 3 3"],
        width: int,
        height: int,
        *,
        sh_degree: int | None = None,
        backgrounds: Float[Tensor, "cameras channels"] | None = None,
        depth: bool = False,
        config: RasterConfig = GSPLAT_DEFAULTS,
    ) -> Rendering:
        """Render all cameras.

        Args:
            means: Centres in the world.
            quats: (w, x, y, z), world from principal axes, of any length > 0.
            scales: Standard deviations, world units.
            opacities: 0..1.
            colors: Colours [gaussians, channels] or [cameras, gaussians, channels]; with `sh_degree` coefficients
                [gaussians, coefficients, 3].
            viewmats: Camera-from-world, OpenCV axes.
            Ks: Intrinsics in pixels, centre of the first pixel at (0.5, 0.5); no skew.
            width: Pixels.
            height: Pixels.
            sh_degree: Degree up to which the spherical harmonics are evaluated.
            backgrounds: Colours behind everything; None is black.
            depth: Whether to render depth too.
            config: Constants.
        """
        ...
