"""The geometry of one splat, shared by projection and its gradient: EWA splatting (Zwicker et al. 2001).

A camera is a row of 23 numbers: rotation (9), translation (3), fx, fy, cx, cy (pixels), the limits of x/z (low, high)
and y/z (low, high) between which the Jacobian is taken, and the centre (3, world).
"""

import math

import numpy as np

from recon.render.cpu.jit import inlined
from recon.render.cpu.vectors import combine, dot, row_times_matrix, times

CAMERA_WIDTH = 23
CAMERA_GRADIENT_WIDTH = 15  # rotation, translation, centre
_LIMIT_MARGIN = 0.3  # of half the field of view, beyond the image border (gsplat)


def pack_cameras(viewmats: np.ndarray, centers: np.ndarray, Ks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Camera rows, [cameras, 23]."""
    cameras = np.empty((len(viewmats), CAMERA_WIDTH), viewmats.dtype)
    cameras[:, :9] = viewmats[:, :3, :3].reshape(-1, 9)
    cameras[:, 9:12], cameras[:, 20:] = viewmats[:, :3, 3], centers
    for axis in range(2):
        focal, center = Ks[:, axis, axis], Ks[:, axis, 2]
        margin = _LIMIT_MARGIN * 0.5 * size[axis] / focal
        cameras[:, 12 + axis], cameras[:, 14 + axis] = focal, center
        cameras[:, 16 + 2 * axis] = -(center / focal + margin)
        cameras[:, 17 + 2 * axis] = (size[axis] - center) / focal + margin
    return cameras


@inlined
def camera_rotation(cameras, c):
    """Rows of the rotation, camera from world."""
    r = cameras
    return (r[c, 0], r[c, 1], r[c, 2]), (r[c, 3], r[c, 4], r[c, 5]), (r[c, 6], r[c, 7], r[c, 8])


@inlined
def camera_point(rotation, cameras, c, point):
    """A world point in the camera."""
    return (
        dot(rotation[0], point) + cameras[c, 9],
        dot(rotation[1], point) + cameras[c, 10],
        dot(rotation[2], point) + cameras[c, 11],
    )


@inlined
def unit_quat(quats, n):
    """Normalised quaternion (w, x, y, z), and one over its former length."""
    w, x, y, z = quats[n, 0], quats[n, 1], quats[n, 2], quats[n, 3]
    inverse_norm = quats.dtype.type(1) / math.sqrt(w * w + x * x + y * y + z * z)
    return (w * inverse_norm, x * inverse_norm, y * inverse_norm, z * inverse_norm), inverse_norm


@inlined
def quat_rotation(quat, one):
    """Rows of the rotation of a unit quaternion; `one` is 1 in the wanted type."""
    w, x, y, z = quat
    two = one + one
    return (
        (one - two * (y * y + z * z), two * (x * y - w * z), two * (x * z + w * y)),
        (two * (x * y + w * z), one - two * (x * x + z * z), two * (y * z - w * x)),
        (two * (x * z - w * y), two * (y * z + w * x), one - two * (x * x + y * y)),
    )


@inlined
def axes_in_camera(rotation, quat_rows, scales):
    """Rows of R_camera R_quat S: principal axes, one standard deviation long, as columns."""
    return (
        times(row_times_matrix(rotation[0], quat_rows), scales),
        times(row_times_matrix(rotation[1], quat_rows), scales),
        times(row_times_matrix(rotation[2], quat_rows), scales),
    )


@inlined
def clamped_slopes(cameras, c, p):
    """x/z and y/z within the limits, and whether each of them was within already."""
    x, y = p[0] / p[2], p[1] / p[2]
    u = min(max(x, cameras[c, 16]), cameras[c, 17])
    v = min(max(y, cameras[c, 18]), cameras[c, 19])
    return u, v, u == x, v == y


@inlined
def image_axes(cameras, c, u, v, inverse_z, axes):
    """Rows of J R_camera R_quat S, the 2x3 matrix whose product with its transpose is the covariance in pixels."""
    fx, fy = cameras[c, 12] * inverse_z, cameras[c, 13] * inverse_z
    return combine(fx, axes[0], -fx * u, axes[2]), combine(fy, axes[1], -fy * v, axes[2])
