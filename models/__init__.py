"""Networks and their training: iLRM and the layers that they are built from."""
