"""Verified matches between photographs, read from a COLMAP database."""

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pycolmap
from jaxtyping import Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from recon.sfm.workspace import image_index


@dataclass(frozen=True)
class Pair:
    """Matches of two photographs that agree with one epipolar geometry.

    Attributes:
        first: Index of one photograph.
        second: Index of the other; larger than `first`.
        keypoints: Row numbers of the matched features in the two photographs.
        first_px: Positions in the reduced first photograph; the centre of the first pixel is (0.5, 0.5).
        second_px: Positions in the reduced second photograph.
    """

    first: int
    second: int
    keypoints: Int[np.ndarray, "matches 2"]
    first_px: Float[np.ndarray, "matches 2"]
    second_px: Float[np.ndarray, "matches 2"]

    def __len__(self) -> int:
        return len(self.first_px)


@dataclass(frozen=True)
class MatchGraph:
    """All verified pairs of a database.

    Attributes:
        database: Where they are from.
        features: Kind of features in words.
        min_matches: Verified matches that a pair needs.
        num_keypoints: Features of each photograph that was searched for them.
        num_tentative: Matches by descriptor alone of each pair (first, second).
        pairs: Verified pairs, most matches first.
    """

    database: Path
    features: str
    min_matches: int
    num_keypoints: dict[int, int]
    num_tentative: dict[tuple[int, int], int]
    pairs: tuple[Pair, ...]

    @property
    def num_matches(self) -> int:
        """Verified matches of all pairs together."""
        return sum(map(len, self.pairs))

    def of(self, index: int) -> list[Pair]:
        """Verified pairs that a photograph is part of."""
        return [pair for pair in self.pairs if index in (pair.first, pair.second)]


def read_match_graph(database: Path, *, features: str, min_matches: int) -> MatchGraph:
    """Pairs with at least `min_matches` verified matches."""
    with pycolmap.Database.open(database) as opened:
        images = opened.read_all_images()
        index_of = {image.image_id: image_index(image.name) for image in images}
        keypoints = {i.image_id: _keypoints(opened, i.image_id) for i in images}
        tentative = {}
        for pair_id, matches in zip(*opened.read_all_matches(), strict=True):
            first, second = sorted(index_of[i] for i in pycolmap.pair_id_to_image_pair(pair_id))
            tentative[first, second] = len(matches)
        pairs = []
        for pair_id, geometry in zip(*opened.read_two_view_geometries(), strict=True):
            ids, rows = pycolmap.pair_id_to_image_pair(pair_id), geometry.inlier_matches.astype(np.int64)
            if len(rows) >= min_matches:
                pairs.append(_oriented([(index_of[i], rows[:, k], keypoints[i]) for k, i in enumerate(ids)]))
    return MatchGraph(
        database=database,
        features=features,
        min_matches=min_matches,
        num_keypoints={index_of[i]: len(points) for i, points in keypoints.items()},
        num_tentative=tentative,
        pairs=tuple(sorted(pairs, key=len, reverse=True)),
    )


def largest_place(graph: MatchGraph, without: Set[int]) -> int:
    """Verified matches in the largest connected part of the graph that is left without some photographs."""
    pairs = [pair for pair in graph.pairs if pair.first not in without and pair.second not in without]
    if not pairs:
        return 0
    ends = np.array([(pair.first, pair.second) for pair in pairs])
    num = int(ends.max()) + 1
    _, place = connected_components(coo_array((np.ones(len(pairs)), (ends[:, 0], ends[:, 1])), shape=(num, num)), False)
    return int(np.bincount(place[ends[:, 0]], weights=[len(pair) for pair in pairs]).max())


def _keypoints(database: pycolmap.Database, image_id: int) -> Float[np.ndarray, "keypoints 2"]:
    if not database.num_keypoints_for_image(image_id):
        return np.zeros((0, 2))
    return database.read_keypoints(image_id)[:, :2].astype(np.float64)


def _oriented(sides: list[tuple[int, np.ndarray, np.ndarray]]) -> Pair:
    (first, rows1, points1), (second, rows2, points2) = sorted(sides, key=lambda side: side[0])
    return Pair(first, second, np.stack([rows1, rows2], axis=1), points1[rows1], points2[rows2])
