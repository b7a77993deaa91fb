"""Refinement: Gaussians through the rasteriser against the photographs."""
