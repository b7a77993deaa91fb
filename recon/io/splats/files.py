"""Files of 3D Gaussians by the suffix of their names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recon.errors import InputError
from recon.io.checked import checked
from recon.io.limits import DEFAULT_LIMITS, Limits
from recon.io.splats.glb import write_gaussian_glb
from recon.io.splats.glb_reader import decode_gaussian_glb
from recon.io.splats.ply import decode_ply, write_ply
from recon.io.splats.splat import by_importance, decode_splat, write_splat
from recon.io.splats.spz import decode_spz, write_spz
from recon.types import Gaussians


def _as_it_is(gaussians: Gaussians) -> Gaussians:
    return gaussians


@dataclass(frozen=True)
class GaussianFormat:
    """How a kind of file is read and written.

    Attributes:
        decode: Reads a file; proves its structure, does not check its values.
        write: Writes valid Gaussians.
        arranged: The order in which `write` puts them.
        losses: What `write` does not keep, in words.
        harmonic_losses: The same, of scenes with view-dependent colour.
    """

    decode: Callable[[Path, Limits], Gaussians]
    write: Callable[[Path, Gaussians], None]
    arranged: Callable[[Gaussians], Gaussians] = _as_it_is
    losses: tuple[str, ...] = ()
    harmonic_losses: tuple[str, ...] = ()

    def lost_from(self, gaussians: Gaussians) -> list[str]:
        """What `write` does not keep of these."""
        return [*self.losses, *(self.harmonic_losses if gaussians.sh_degree else ())]


FORMATS = {
    ".ply": GaussianFormat(decode_ply, write_ply),
    ".splat": GaussianFormat(
        decode_splat,
        write_splat,
        by_importance,
        losses=("all but 8 bits of colour, opacity and rotation", "the order of the Gaussians"),
        harmonic_losses=("view-dependent colour",),
    ),
    ".spz": GaussianFormat(
        decode_spz,
        write_spz,
        losses=("all but 24 bits of coordinates, 8 of opacity, colour and scale, 10 of rotation",),
        harmonic_losses=("all but 8 bits of the coefficients of view-dependent colour, and what is beyond -1..1",),
    ),
    ".glb": GaussianFormat(decode_gaussian_glb, write_gaussian_glb),
}
IN_SCENE_FOLDER = tuple(f"gaussians{suffix}" for suffix in (".ply", ".glb", ".spz", ".splat"))
"""Names that a scene folder has, the most exact first."""


def format_of(path: Path) -> GaussianFormat:
    """The format that the suffix names.

    Raises:
        InputError: It names none.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"{path}: the suffix {path.suffix!r} names no format of Gaussians", hint=f"use one of {' '.join(FORMATS)}"
        )
    return FORMATS[path.suffix.lower()]


def writable_format_of(path: Path) -> GaussianFormat:
    """As `format_of`, for a file to be written.

    Raises:
        InputError: The suffix names no format, or one that is only read.
    """
    if path.name.lower().endswith(".compressed.ply"):
        raise InputError(f"{path}: compressed PLY is only read", hint="use .spz for a small file, or .ply")
    return format_of(path)


def gaussians_in(path: Path) -> Path:
    """The file itself, or, of a scene folder, its most exact file of Gaussians.

    Raises:
        InputError: The folder holds none.
    """
    if not path.is_dir():
        return path
    found = [path / name for name in IN_SCENE_FOLDER if (path / name).is_file()]
    if not found:
        raise InputError(f"{path}: none of {', '.join(IN_SCENE_FOLDER)} is there", hint="name a file of Gaussians")
    return found[0]


def read_gaussians(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Gaussians:
    """Read valid Gaussians in the axes of the PLY.

    Raises:
        InputError: The file cannot be read, or its suffix names no format.
        FormatError: It does not follow the format of its suffix.
        GeometryError: A value is NaN, infinite or of no meaning; the message tells where.
        LimitError: It holds more Gaussians than `limits` allow.
    """
    return checked(path, format_of(path).decode(path, limits))


def write_gaussians(path: Path, gaussians: Gaussians) -> None:
    """Write valid Gaussians; the file appears whole or not at all, and never holds NaN or infinity.

    Raises:
        InputError: The suffix names no format that is written.
        GeometryError: The Gaussians are not valid.
        ExportError: A value has no form in the format, there are none where the format needs one, or the file cannot be
            written.
    """
    writable_format_of(path).write(path, gaussians)
