"""Final bundle adjustment, and whether the lens distorts."""

import pycolmap

from recon.sfm.support import registered_images

_ROBUST_PX = 1.0
_OUTLIER_PX = 4.0
_MIN_ANGLE_DEG = 1.0
_MIN_POINTS = 10
# Relative change of the cost at which adjustment ends. With none, it takes seven times as long, and moves focal lengths
# by 1e-5.
_TOLERANCE = 1e-7


def refine_model(model: pycolmap.Reconstruction, *, min_distortion_gain: float) -> pycolmap.Reconstruction:
    """Bundle adjustment with a robust loss, with and without radial distortion; the better of the two.

    With few photographs radial distortion and focal length trade off against each other, so distortion is kept only
    where it lowers the reprojection error by the share `min_distortion_gain`.
    """
    distorted = _adjusted(model, keep_distortion=True)
    pinhole = _adjusted(model, keep_distortion=False)
    needed = (1 - min_distortion_gain) * _total_error_px(pinhole)
    return distorted if _total_error_px(distorted) < needed else pinhole


def _total_error_px(model: pycolmap.Reconstruction) -> float:
    """Sum of the reprojection errors, where outliers count as `_OUTLIER_PX`."""
    return sum(min(point.error, _OUTLIER_PX) * len(point.track.elements) for point in model.points3D.values())


def _adjusted(model: pycolmap.Reconstruction, *, keep_distortion: bool) -> pycolmap.Reconstruction:
    result = pycolmap.Reconstruction(model)
    if not keep_distortion:
        for camera in result.cameras.values():
            camera.params = [*camera.params[:3], 0.0]
    _adjust(result, refine_focal=True, refine_distortion=keep_distortion)
    return result


def refine_poses(model: pycolmap.Reconstruction) -> pycolmap.Reconstruction:
    """Bundle adjustment of poses and points under fixed intrinsics."""
    result = pycolmap.Reconstruction(model)
    _adjust(result, refine_focal=False, refine_distortion=False)
    return result


def _adjust(model: pycolmap.Reconstruction, *, refine_focal: bool, refine_distortion: bool) -> None:
    """Bundle adjustment in place; single-threaded, so that it repeats exactly."""
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.refine_focal_length = refine_focal
    options.refine_extra_params = refine_distortion
    options.ceres.loss_function_type = pycolmap.LossFunctionType.SOFT_L1
    options.ceres.loss_function_scale = _ROBUST_PX
    options.ceres.solver_options.function_tolerance = _TOLERANCE
    options.ceres.solver_options.num_threads = 1
    # Not pycolmap.bundle_adjustment, which turns COLMAP's log on.
    config = pycolmap.BundleAdjustmentConfig()
    for image in registered_images(model).values():
        config.add_image(image.image_id)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    pycolmap.create_default_bundle_adjuster(options, config, model).solve()
    model.update_point_3d_errors()


def drop_weak(model: pycolmap.Reconstruction) -> None:
    """Take out points that fit badly or have no parallax, and then photographs that see too few points."""
    pycolmap.ObservationManager(model).filter_all_points3D(_OUTLIER_PX, _MIN_ANGLE_DEG)
    for image in registered_images(model).values():
        if image.num_points3D < _MIN_POINTS:
            model.deregister_frame(image.frame_id)
    model.update_point_3d_errors()
