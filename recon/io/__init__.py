"""Files in and out: photographs, poses, Gaussians, video, provenance.

Importing this package imports no heavy library; import the part that you need.
"""
