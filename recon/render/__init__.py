"""Differentiable rendering of 3D Gaussians: `render` for the project's types, `get_rasterizer` for bare tensors."""

from recon.render.protocol import RasterConfig, Rasterizer, Rendering
from recon.render.rasterizer import get_rasterizer, render

__all__ = ["RasterConfig", "Rasterizer", "Rendering", "get_rasterizer", "render"]
