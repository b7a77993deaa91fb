"""Options of the pose estimator."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MappingAttempt:
    """One way to start incremental mapping.

    Attributes:
        focal_factor: First focal length in long sides of the photograph.
        use_known_focal: Whether a focal length that the camera wrote down goes before `focal_factor`. It may be wrong,
            for instance after cropping.
        min_triangulation_deg: Median angle under which the first two photographs must see their common points.
        min_init_inliers: Points that the first two photographs must share.
        min_pose_inliers: Points of the model that a further photograph must see.
        min_pose_inlier_ratio: Share of its matches with the model that must agree on its pose.
        max_forward_motion: Largest allowed cosine between viewing direction and motion of the first two.
    """

    focal_factor: float
    use_known_focal: bool = True
    min_triangulation_deg: float = 4.0
    min_init_inliers: int = 30
    min_pose_inliers: int = 15
    min_pose_inlier_ratio: float = 0.15
    max_forward_motion: float = 1.0


# The thresholds that are usual for large collections: a wide first baseline keeps the focal length honest.
_STRICT = MappingAttempt(
    focal_factor=1.2,
    min_triangulation_deg=16.0,
    min_init_inliers=100,
    min_pose_inliers=30,
    min_pose_inlier_ratio=0.25,
    max_forward_motion=0.95,
)


@dataclass(frozen=True)
class PairChoiceConfig:
    """Which pairs of many photographs are matched.

    Attributes:
        num_descriptors: SIFT descriptors of each photograph that are compared with those of all others beforehand.
        max_ratio: Of the distances to the nearest and the second nearest of them.
        num_partners: Most similar photographs that each one is matched with.
        num_neighbours: And so many before and after it in the order of the photographs.
        max_hops: Similar photographs that are more steps apart than this are matched too.
        min_shared: Descriptors that they must share for that.
    """

    num_descriptors: int = 256
    max_ratio: float = 0.8
    num_partners: int = 12
    num_neighbours: int = 3
    max_hops: int = 3
    min_shared: int = 8


@dataclass(frozen=True)
class SfmConfig:
    """How poses are found.

    Attributes:
        long_side_px: Photographs are reduced to this long side for finding features.
        max_few: Up to so many photographs nothing is spared: all pairs are matched, and all poses are adjusted whenever
            a tenth is added.
        max_affine: Up to so many, SIFT features get affine shapes, which bear stronger changes of the point of view and
            take as long again to find.
        max_features: SIFT features kept of one photograph.
        max_features_of_many: The same where there are more than `max_few` photographs.
        max_xfeat_features: XFeat features kept of one photograph.
        max_xfeat_photographs: XFeat matches all pairs at 0.1 s each; it is left out where there are more photographs.
        pairs: Which pairs are matched where there are more than `max_few` photographs.
        peak_threshold: Least contrast of a SIFT feature (difference of Gaussians, grey values 0 to 1).
        min_matches: Verified matches that two photographs must share to be used as a pair.
        min_xfeat_matches: The same where XFeat matches are among them. Mutual nearest neighbours find 20 to 45 matches
            that agree with some epipolar geometry even in photographs of different places.
        min_parallax_deg: Median angle between the rays of two photographs, below which no model starts from them.
        attempts: Tried in turn until one places every photograph and explains `enough_explained` of the matches; of
            many photographs, until one explains so much of the matches of those that it places, and these are most.
            The last resort is the relative pose of one pair, to which the others are added.
        enough_explained: See `attempts`.
        min_support: Share of its matches with the model that a photograph's pose must explain, else it is taken out.
        max_error_px: Distance in pixels of the reduced photographs beyond which a match counts as not explained.
        min_distortion_gain: Radial distortion is kept only if it lowers the reprojection error by this share;
            otherwise a lens without distortion is the better guess for few photographs.
        num_threads: Of feature extraction and matching; -1 for all cores. Mapping is single-threaded, so that it
            repeats exactly.
    """

    long_side_px: int = 1024
    max_few: int = 20
    max_affine: int = 60
    max_features: int = 4096
    max_features_of_many: int = 2048
    max_xfeat_features: int = 4096
    max_xfeat_photographs: int = 40
    pairs: PairChoiceConfig = PairChoiceConfig()
    peak_threshold: float = 0.004
    min_matches: int = 15
    min_xfeat_matches: int = 60
    min_parallax_deg: float = 1.0
    attempts: tuple[MappingAttempt, ...] = (
        MappingAttempt(focal_factor=1.2),
        MappingAttempt(focal_factor=0.7, use_known_focal=False),
        _STRICT,
    )
    enough_explained: float = 0.8
    min_support: float = 0.5
    max_error_px: float = 3.0
    min_distortion_gain: float = 0.02
    num_threads: int = -1
