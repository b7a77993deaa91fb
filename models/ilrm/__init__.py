"""iLRM: posed views to 3D Gaussians by iterative refinement (arXiv 2507.23277)."""
