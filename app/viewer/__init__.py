"""A page on this machine that shows a finished scene: a loopback server and its static files."""
