"""SIFT features (Lowe 2004) and verified matches of pairs, into a COLMAP database."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pycolmap

from recon.sfm.config import SfmConfig
from recon.sfm.match_graph import MatchGraph, read_match_graph
from recon.sfm.pair_choice import choose_pairs
from recon.sfm.similarity import count_shared, read_signatures
from recon.sfm.workspace import Lens, Workspace, image_name


def match_sift(workspace: Workspace, config: SfmConfig, seed: int) -> MatchGraph:
    """Find features, match pairs and keep the matches that one epipolar geometry explains."""
    database = workspace.folder / "sift.db"
    pycolmap.set_random_seed(seed)
    pycolmap.Database.open(database).close()  # an empty one, should no photograph be large enough
    for lens in workspace.lenses:
        _extract(database, workspace, lens, config)
    _mark_known_focals(database, workspace)
    match_pairs(database, workspace, _pairs_to_match(database, workspace, config), config, seed)
    return read_match_graph(database, features="SIFT", min_matches=config.min_matches)


def _pairs_to_match(database: Path, workspace: Workspace, config: SfmConfig) -> list[tuple[int, int]]:
    """All pairs of few photographs, the promising ones of many; by index, in an order that repeats."""
    indices = sorted(index for lens in workspace.lenses for index in lens.members)
    if workspace.num_photographs <= config.max_few:
        return list(combinations(indices, 2))
    signatures = read_signatures(database, config.pairs.num_descriptors)
    shared = count_shared([signatures[index] for index in indices], config.pairs.max_ratio)
    return [(indices[first], indices[second]) for first, second in choose_pairs(shared, config.pairs)]


def match_pairs(
    database: Path, workspace: Workspace, pairs: Sequence[tuple[int, int]], config: SfmConfig, seed: int
) -> None:
    """Match and verify these pairs of photographs; those that the database holds already are left as they are."""
    if not pairs:
        return
    listed = workspace.folder / "pairs.txt"
    listed.write_text("".join(f"{image_name(first)} {image_name(second)}\n" for first, second in pairs))
    pairing = pycolmap.ImportedPairingOptions()
    pairing.match_list_path = listed
    options = pycolmap.FeatureMatchingOptions()
    options.num_threads = config.num_threads
    options.use_gpu = False
    pycolmap.match_image_pairs(
        database,
        matching_options=options,
        pairing_options=pairing,
        verification_options=verification_options(config.min_matches, seed),
        device=pycolmap.Device.cpu,
    )


def verification_options(
    min_matches: int, seed: int, *, min_inlier_ratio: float = 0.0
) -> pycolmap.TwoViewGeometryOptions:
    """Options of two-view verification: how many, and what share, of a pair's matches must agree."""
    options = pycolmap.TwoViewGeometryOptions()
    options.min_inlier_ratio = min_inlier_ratio
    options.min_num_inliers = min_matches
    options.ransac.random_seed = seed
    return options


def _extract(database: Path, workspace: Workspace, lens: Lens, config: SfmConfig) -> None:
    width, height = lens.size
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model = "SIMPLE_RADIAL"
    reader.camera_params = f"{lens.expected_focal_px},{width / 2},{height / 2},0"
    names = [image_name(i) for i in lens.members]
    single = pycolmap.CameraMode.SINGLE
    # First all images by themselves: extraction in several threads would number them in the order in which it ends.
    pycolmap.import_images(database, workspace.images, camera_mode=single, image_names=names, options=reader)
    pycolmap.extract_features(
        database,
        workspace.images,
        image_names=names,
        camera_mode=single,
        reader_options=reader,
        extraction_options=_extraction_options(config, workspace.num_photographs),
        device=pycolmap.Device.cpu,
    )


def _extraction_options(config: SfmConfig, num_photographs: int) -> pycolmap.FeatureExtractionOptions:
    options = pycolmap.FeatureExtractionOptions()
    options.type = pycolmap.FeatureExtractorType.SIFT
    options.num_threads = config.num_threads
    options.use_gpu = False
    few = num_photographs <= config.max_few
    options.sift.max_num_features = config.max_features if few else config.max_features_of_many
    options.sift.peak_threshold = config.peak_threshold
    options.sift.estimate_affine_shape = num_photographs <= config.max_affine
    return options


def _mark_known_focals(database: Path, workspace: Workspace) -> None:
    # COLMAP takes any given focal length for a measured one and then verifies with an essential matrix only.
    with pycolmap.Database.open(database) as opened:
        for camera, lens in zip(opened.read_all_cameras(), workspace.lenses, strict=True):
            camera.has_prior_focal_length = lens.focal_px is not None
            opened.update_camera(camera)
