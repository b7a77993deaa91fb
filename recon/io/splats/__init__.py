"""Files of 3D Gaussians: PLY, compressed PLY, .splat, SPZ and glTF."""
