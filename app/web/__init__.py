"""The page: photographs in, a scene to look at and to download."""
