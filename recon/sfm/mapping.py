"""Incremental mapping (Schoenberger and Frahm 2016) from verified matches."""

import pycolmap

from recon.sfm.config import MappingAttempt, SfmConfig
from recon.sfm.match_graph import MatchGraph
from recon.sfm.workspace import Workspace

# A database whose pairs fit no single model can keep COLMAP busy with hopeless starts. Bounded by number, not by time,
# so that results do not depend on how busy the machine is.
_MAX_STARTS = 50
_MAX_MODELS = 3
_PHOTOGRAPHS_PER_MODEL = 10
# With many photographs, everything is adjusted when their number or that of the points has grown by this factor.
_GROWTH_OF_MANY = 1.25
_REFINEMENTS_OF_MANY = 2
_TOLERANCE_OF_MANY = 1e-5


def map_incrementally(
    graph: MatchGraph, workspace: Workspace, attempt: MappingAttempt, config: SfmConfig, seed: int
) -> list[pycolmap.Reconstruction]:
    """Models that grow from the first pair that meets the attempt's thresholds; none, one, or several unconnected.

    Focal length and one radial term of each lens are refined; the principal point stays at the centre.
    """
    models = pycolmap.ReconstructionManager()
    _run(graph, workspace, attempt, models, config, seed)
    return [models.get(i) for i in range(models.size())]


def grow_model(
    model: pycolmap.Reconstruction, graph: MatchGraph, workspace: Workspace, config: SfmConfig, seed: int
) -> pycolmap.Reconstruction:
    """Register further photographs with a given model, by perspective-n-point and triangulation in turn.

    The thresholds are those of the first attempt.
    """
    folder = workspace.folder / "given"
    folder.mkdir(exist_ok=True)
    model.write(folder)
    models = pycolmap.ReconstructionManager()
    models.read(folder)
    _run(graph, workspace, config.attempts[0], models, config, seed)
    return models.get(0)


def _run(
    graph: MatchGraph,
    workspace: Workspace,
    attempt: MappingAttempt,
    models: pycolmap.ReconstructionManager,
    config: SfmConfig,
    seed: int,
) -> None:
    pycolmap.set_random_seed(seed)
    with pycolmap.Database.open(graph.database) as opened:
        for camera, lens in zip(opened.read_all_cameras(), workspace.lenses, strict=True):
            guess = attempt.focal_factor * lens.long_side
            focal = (lens.focal_px if attempt.use_known_focal else None) or guess
            camera.params = [focal, *camera.params[1:3], 0.0]
            opened.update_camera(camera)
        options = _options(attempt, graph.min_matches, seed)
        if workspace.num_photographs > config.max_few:
            _suit_many(options, workspace.num_photographs)
        pycolmap.IncrementalPipeline(options, opened, models).run()


def _options(attempt: MappingAttempt, min_matches: int, seed: int) -> pycolmap.IncrementalPipelineOptions:
    options = pycolmap.IncrementalPipelineOptions()
    options.min_num_matches = min_matches
    options.min_model_size = 2
    options.max_num_models = _MAX_MODELS
    options.init_num_trials = _MAX_STARTS
    options.extract_colors = False
    options.num_threads = 1
    options.random_seed = seed
    options.triangulation.random_seed = seed
    mapper = options.mapper
    mapper.num_threads = 1
    mapper.random_seed = seed
    mapper.init_min_tri_angle = attempt.min_triangulation_deg
    mapper.init_min_num_inliers = attempt.min_init_inliers
    mapper.init_max_forward_motion = attempt.max_forward_motion
    mapper.abs_pose_min_num_inliers = attempt.min_pose_inliers
    mapper.abs_pose_min_inlier_ratio = attempt.min_pose_inlier_ratio
    return options


def _suit_many(options: pycolmap.IncrementalPipelineOptions, num_photographs: int) -> None:
    """Adjust all poses less often and less exactly than the final bundle adjustment; look for more separate places."""
    options.max_num_models = max(_MAX_MODELS, num_photographs // _PHOTOGRAPHS_PER_MODEL)
    options.ba_global_frames_ratio = options.ba_global_points_ratio = _GROWTH_OF_MANY
    options.ba_global_max_refinements = _REFINEMENTS_OF_MANY
    options.ba_global_function_tolerance = options.ba_local_function_tolerance = _TOLERANCE_OF_MANY
