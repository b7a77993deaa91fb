"""Which captures cannot be used: the filters that the field applies before training."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from recon.errors import FormatError, GeometryError, InputError, LimitError, UnusableCaptureError
from recon.types import Cameras

IMPOSSIBLE_CAMERA = "impossible camera"
FAR_CAMERA = "camera too far away"
WIDE_VIEW = "field of view too wide"
FEW_FRAMES = "too few frames"
MISSING_PICTURE = "missing picture"
MISSING_FRAMES = "frames of the evaluation index missing"
OUTSIDE_PICTURE = "picture outside the folder"
BAD_PICTURE = "unreadable picture"
OTHER_SIZE = "other picture size"
REASONS = (
    IMPOSSIBLE_CAMERA,
    FAR_CAMERA,
    WIDE_VIEW,
    FEW_FRAMES,
    MISSING_PICTURE,
    OUTSIDE_PICTURE,
    BAD_PICTURE,
    OTHER_SIZE,
)

DAMAGED_FILE = "damaged file"
KINDS: tuple[tuple[type[InputError], str], ...] = (
    (FormatError, DAMAGED_FILE),
    (LimitError, "larger than allowed"),
    (GeometryError, "impossible geometry"),
)
"""What else a capture is counted under, by the kind of its error."""

ROTATION_TOLERANCE = 1e-3


@dataclass(frozen=True)
class CaptureChecks:
    """Bounds on what is used; pixelSplat's loader and its successors have the same.

    Attributes:
        min_frames: Fewest frames.
        max_translation: Of `cam_from_world`, in units of the poses. Larger ones come from mapping that diverged.
        max_fov_deg: Of the wider axis.
        size: Width and height that every picture must have; None for any.
    """

    min_frames: int = 2
    max_translation: float = 1e3
    max_fov_deg: float = 100.0
    size: tuple[int, int] | None = None


DEFAULT_CHECKS = CaptureChecks()


def check_cameras(where: str, cameras: Cameras, checks: CaptureChecks = DEFAULT_CHECKS) -> Cameras:
    """The cameras, if a capture with them can be used.

    Args:
        where: Beginning of the message: data set and capture.
        cameras: In pixels of the pictures.
        checks: The bounds.

    Raises:
        UnusableCaptureError: With one of `REASONS`; the message names the first frame at fault.
    """
    num = len(cameras)
    if num < checks.min_frames:
        raise UnusableCaptureError(FEW_FRAMES, f"{where}: {num} frames, at least {checks.min_frames} are needed")
    _require(where, IMPOSSIBLE_CAMERA, ~_is_possible(cameras), "is not a rigid motion with a positive focal length")
    translation = cameras.cam_from_world[:, :3, 3].abs().amax(dim=1)
    _require(
        where, FAR_CAMERA, translation > checks.max_translation, f"is moved by more than {checks.max_translation:g}"
    )
    fov = field_of_view_deg(cameras).amax(dim=1)
    _require(where, WIDE_VIEW, fov > checks.max_fov_deg, f"sees more than {checks.max_fov_deg:g} degrees")
    if checks.size is not None:
        other = (cameras.size != torch.tensor(checks.size)).any(dim=1)
        _require(where, OTHER_SIZE, other, f"has another size than {checks.size[0]} x {checks.size[1]}")
    return cameras


def reason_of(error: InputError) -> str:
    """Why a capture cannot be used, in few words: the same for all captures with the fault."""
    if isinstance(error, UnusableCaptureError):
        return error.reason
    return next((words for kind, words in KINDS if isinstance(error, kind)), "unreadable file")


def field_of_view_deg(cameras: Cameras) -> Float[Tensor, "views 2"]:
    """Horizontal and vertical field of view, as twice the arc tangent of half a side over the focal length."""
    focal = torch.stack([cameras.K[:, 0, 0], cameras.K[:, 1, 1]], dim=1).double()
    return torch.rad2deg(2 * torch.atan2(cameras.size.double() / 2, focal))


def _is_possible(cameras: Cameras) -> Bool[Tensor, " views"]:
    """Whether all numbers are finite, R is a rotation (orthogonal, determinant 1) and focal lengths are positive."""
    pose, K = cameras.cam_from_world.double(), cameras.K.double()
    finite = pose.isfinite().flatten(1).all(1) & K.isfinite().flatten(1).all(1)
    rotation = pose[:, :3, :3].where(finite[:, None, None], torch.eye(3, dtype=torch.float64))
    skewed = (rotation @ rotation.mT - torch.eye(3, dtype=torch.float64)).abs().amax(dim=(1, 2)) > ROTATION_TOLERANCE
    focal_is_positive = (K[:, 0, 0] > 0) & (K[:, 1, 1] > 0)
    return finite & ~skewed & (torch.linalg.det(rotation) > 0) & focal_is_positive


def _require(where: str, reason: str, faulty: Bool[Tensor, " views"], what: str) -> None:
    num = int(faulty.sum())
    if num:
        first = int(faulty.nonzero()[0, 0])
        raise UnusableCaptureError(
            reason,
            f"{where}: the camera of frame {first} {what} ({num} of {len(faulty)} frames)",
            hint="such captures are skipped and counted; the bounds are those of CaptureChecks",
        )
