"""Small pure functions on cameras, rays and points."""
