"""From photographs to a scene; knows protocols, no network."""
