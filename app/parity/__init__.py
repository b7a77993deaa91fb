"""Our networks and rasterisers against recorded numbers of the reference implementations."""
