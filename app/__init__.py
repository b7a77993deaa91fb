"""What people touch: the command line and the public call `reconstruct`."""
