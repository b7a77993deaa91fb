"""What people upload: what it is, whether it is taken, and what looks wrong with it."""
