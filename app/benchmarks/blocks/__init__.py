"""How fast every exchangeable layer is, and how well a small network learns with it."""
