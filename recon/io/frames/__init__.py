"""Photographs out of a video, decoded in a process of its own. Importing this package imports nothing heavy."""
