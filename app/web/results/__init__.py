"""What can be done with a finished job without running it again."""
