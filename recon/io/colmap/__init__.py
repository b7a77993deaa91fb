"""COLMAP sparse models, in their binary and their text form.

Read and written from the format's documentation (https://colmap.github.io/format.html). Conventions agree with ours:
`cam_from_world` with OpenCV axes, and the centre of the first pixel at (0.5, 0.5).
"""

from recon.io.colmap.find import find_model
from recon.io.colmap.model import ColmapCamera, ColmapImage, ColmapModel
from recon.io.colmap.posed import PosedFile, load_colmap_images, model_name, posed_files, read_colmap
from recon.io.colmap.read import read_model
from recon.io.colmap.write import model_of_cameras, write_model

__all__ = [
    "ColmapCamera",
    "ColmapImage",
    "ColmapModel",
    "PosedFile",
    "find_model",
    "load_colmap_images",
    "model_name",
    "model_of_cameras",
    "posed_files",
    "read_colmap",
    "read_model",
    "write_model",
]
