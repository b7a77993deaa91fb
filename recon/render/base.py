"""What the rasterisers written here have in common: checks, colours, background, depth."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from recon.errors import GeometryError
from recon.render.colors import check_colors
from recon.render.protocol import GSPLAT_DEFAULTS, RasterConfig, Rendering
from recon.types.checks import require_shape

_MIN_ALPHA_OF_DEPTH = 1e-10


class BlendCall(NamedTuple):
    """A call of `protocol.Rasterizer` after all checks; fields not named here are its arguments.

    Attributes:
        size: Width and height in pixels.
        backgrounds: One entry per blended channel; with `with_depth` z is the last of them.
        with_depth: Whether z is blended too.
    """

    means: Float[Tensor, "gaussians 3"]
    quats: Float[Tensor, "gaussians 4"]
    scales: Float[Tensor, "gaussians 3"]
    opacities: Float[Tensor, " gaussians"]
    colors: Float[Tensor, "..."]
    sh_degree: int | None
    viewmats: Float[Tensor, "cameras 4 4"]
    Ks: Float[Tensor, "cameras 3 3"]
    size: tuple[int, int]
    backgrounds: Float[Tensor, "cameras blended"]
    with_depth: bool
    config: RasterConfig


Blended = tuple[Float[Tensor, "cameras height width blended"], Float[Tensor, "cameras height width 1"]]
"""Blended channels over the background, and alpha."""


class BlendingRasterizer(ABC):
    """A rasteriser that only has to blend given channels; see `protocol.Rasterizer` for the call.

    Gaussians that hold NaN or infinity are left out.
    """

    name: str

    @abstractmethod
    def blend(self, call: BlendCall) -> Blended:
        """Blend all channels of a checked call."""

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
        """See `protocol.Rasterizer`.

        Raises:
            GeometryError: Shapes or types do not fit together.
        """
        num, num_cameras = len(means), len(viewmats)
        if num_cameras == 0:
            raise GeometryError("there is no camera to render into, expected at least one")
        require_shape("means", means, (num, 3))
        require_shape("quats", quats, (num, 4))
        require_shape("scales", scales, (num, 3))
        require_shape("opacities", opacities, (num,))
        require_shape("viewmats", viewmats, (num_cameras, 4, 4))
        require_shape("Ks", Ks, (num_cameras, 3, 3))
        _require_one_type(means, quats, scales, opacities, colors, viewmats, Ks)
        check_colors(colors, num, num_cameras, sh_degree)
        if backgrounds is None:
            backgrounds = means.new_zeros(num_cameras, colors.shape[-1])
        require_shape("backgrounds", backgrounds, (num_cameras, colors.shape[-1]))
        if depth:
            backgrounds = torch.nn.functional.pad(backgrounds, (0, 1))
        with torch.autocast(means.device.type, enabled=False):
            call = BlendCall(
                means, quats, scales, opacities, colors, sh_degree, viewmats, Ks, (width, height), backgrounds, depth,
                config,
            )  # fmt: skip
            blended, alpha = self.blend(call)
        if not depth:
            return Rendering(blended, alpha, None)
        return Rendering(blended[..., :-1], alpha, blended[..., -1:] / alpha.clamp_min(_MIN_ALPHA_OF_DEPTH))


def _require_one_type(*tensors: Tensor) -> None:
    kinds = {(tensor.dtype, tensor.device.type) for tensor in tensors}
    if len(kinds) > 1 or tensors[0].dtype not in (torch.float32, torch.float64):
        found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
        raise GeometryError(
            f"the rasteriser was given {found}, expected float32 or float64 throughout, on one device",
            hint="convert network outputs with .float() before rendering",
        )
