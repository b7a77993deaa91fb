"""Feed-forward 3D reconstruction: types, geometry, input and output, rendering, pipeline.

Importing this package imports no heavy library; import the part that you need.
"""

__version__ = "0.1.0"
