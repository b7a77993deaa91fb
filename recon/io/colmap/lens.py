"""COLMAP's camera models as a pinhole with k1, k2, p1, p2."""

from recon.errors import FormatError
from recon.io.colmap.model import ColmapCamera
from recon.io.photographs.lens import Lens

READ = ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV")


def lens_of(where: str, camera: ColmapCamera) -> Lens:
    """The lens; parameters as COLMAP orders them for each model.

    Raises:
        FormatError: The model has more, or other, terms than k1, k2, p1, p2.
    """
    values = camera.parameters
    shared_focal = camera.model in ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL")
    if camera.model not in READ or any(values[8:]):
        raise FormatError(
            f"{where}: camera model {camera.model} is a fisheye, or has more than k1, k2, p1, p2",
            hint=f"expected one of {', '.join(READ[:5])}; undistort the photographs first (colmap image_undistorter)",
        )
    focal = (values[0], values[0]) if shared_focal else (values[0], values[1])
    rest = values[1:] if shared_focal else values[2:]
    k1, k2, p1, p2 = (*rest[2:6], 0.0, 0.0, 0.0, 0.0)[:4]
    width, height = camera.size
    return Lens((float(width), float(height)), focal, (rest[0], rest[1]), (k1, k2, p1, p2))
