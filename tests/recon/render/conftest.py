"""A small scene for the rasterisers."""

import math
from dataclasses import dataclass, fields, replace

import pytest
import torch
from torch import Tensor

from recon.geometry.se3 import rotation_from_quat
from recon.render import RasterConfig, Rasterizer, Rendering


@dataclass(frozen=True)
class RasterScene:
    """The tensors of one call of a rasteriser."""

    means: Tensor
    quats: Tensor
    scales: Tensor
    opacities: Tensor
    colors: Tensor
    viewmats: Tensor
    backgrounds: Tensor
    Ks: Tensor
    width: int
    height: int
    sh_degree: int | None = None

    def with_(self, **changes) -> "RasterScene":
        return replace(self, **changes)

    def gaussians(self, chosen: Tensor) -> "RasterScene":
        names = ("means", "quats", "scales", "opacities", "colors")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def to(self, dtype: torch.dtype) -> "RasterScene":
        tensors = {f.name: getattr(self, f.name) for f in fields(self) if f.type is Tensor}
        return replace(self, **{name: value.to(dtype) for name, value in tensors.items()})

    def render(self, rasterizer: Rasterizer, *, depth: bool = False, config: RasterConfig | None = None) -> Rendering:
        return rasterizer(
            self.means, self.quats, self.scales, self.opacities, self.colors, self.viewmats, self.Ks,
            self.width, self.height, sh_degree=self.sh_degree, backgrounds=self.backgrounds, depth=depth,
            config=config or RasterConfig(),
        )  # fmt: skip

    def gradients(
        self, rasterizer: Rasterizer, *, depth: bool = False, config: RasterConfig | None = None, seed: int = 5
    ) -> dict[str, Tensor]:
        """Images and gradients of a random linear function of them."""
        names = ["means", "quats", "scales", "opacities", "colors", "viewmats", "backgrounds"]
        leaves = {name: getattr(self, name).clone().requires_grad_() for name in names}
        rendering = replace(self, **leaves).render(rasterizer, depth=depth, config=config)
        images = [image for image in rendering if image is not None]
        generator = torch.Generator().manual_seed(seed)
        weights = [torch.randn(image.shape, generator=generator, dtype=torch.float64) for image in images]
        loss = sum(((image * weight.to(image)).sum() for image, weight in zip(images, weights, strict=True)), 0.0)
        assert isinstance(loss, Tensor)
        found = {f"image {i}": image.detach() for i, image in enumerate(images)}
        return found | dict(
            zip(names, torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True), strict=True)
        )


def random_scene(
    num: int, generator: torch.Generator, *, width: int = 50, height: int = 35, num_cameras: int = 2, sh_degree=None
) -> RasterScene:
    """Gaussians in front of, beside and behind cameras that look along z, float64."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    depth = torch.exp(uniform(num) * math.log(5)) * 2
    depth[::7] *= -1
    means = torch.stack([(uniform(num) - 0.5) * 1.6 * depth, (uniform(num) - 0.5) * 1.2 * depth, depth], dim=1)
    scales = torch.exp(normal(num, 3) * 0.5) * 0.04 * depth.abs()[:, None]
    viewmats = torch.eye(4, dtype=torch.float64).repeat(num_cameras, 1, 1)
    turn = torch.cat([torch.ones(num_cameras, 1, dtype=torch.float64), 0.06 * normal(num_cameras, 3)], dim=1)
    viewmats[:, :3, :3] = rotation_from_quat(turn)
    viewmats[:, :3, 3] = 0.1 * normal(num_cameras, 3)
    K = torch.tensor([[0.9 * width, 0, 0.52 * width], [0, 0.85 * width, 0.47 * height], [0, 0, 1]], dtype=torch.float64)
    colors = uniform(num, 3) if sh_degree is None else 0.5 * normal(num, (sh_degree + 1) ** 2, 3)
    return RasterScene(
        means, normal(num, 4), scales, torch.sigmoid(1.5 * normal(num)), colors, viewmats, uniform(num_cameras, 3),
        K.repeat(num_cameras, 1, 1), width, height, sh_degree,
    )  # fmt: skip


@pytest.fixture
def make_scene(generator: torch.Generator):
    """`random_scene` with the test's generator."""

    def make(num: int, **options) -> RasterScene:
        return random_scene(num, generator, **options)

    return make


@pytest.fixture
def two_threads():
    """Two threads during the test, whatever the environment says."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
