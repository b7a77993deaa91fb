"""What looks wrong with photographs before they are used, in plain words. Nothing here refuses anything."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import cv2
import numpy as np
from jaxtyping import UInt8

from app.web import texts
from app.web.uploads.warning import NAMES_SHOWN, PhotographWarning, WarningKind, differing_sizes, few
from recon.types import Photograph

LONG_SIDE = 512
"""Pixels to which a picture is reduced before it is looked at."""
DARK = 0.22
"""Brightness, 0..1, that a tenth of a picture has or exceeds, below which it is dark; a dark background is none."""
BLURRY_ABSOLUTE, BLURRY_RELATIVE = 0.004, 0.2
"""Sharpness below which a picture is blurry: anyway, or where the middle one of its set is that much sharper."""
ALIKE = 0.012
"""Mean difference of brightness, 0..1, at 32 x 32 pixels, below which two pictures are nearly the same."""
NUM_FEATURES = 600
RATIO = 0.75
"""Of the distances of the best and the second best match, above which a match is left out (Lowe 2004)."""
WITHIN_PX = 2.0
"""Distance from the epipolar line up to which a match fits."""
FEWEST_COMMON = 20
"""Matches that fit, below which two pictures show nothing in common; pictures of different places had up to 17."""
NEIGHBOURS = 5
"""Where there are many pictures, each is compared with so many that follow it."""
MOST_FOR_ALL_PAIRS = 16


def warnings_about(photographs: Sequence[Photograph]) -> list[PhotographWarning]:
    """Everything that looks wrong with a set, the most serious first."""
    grays = [_gray(photograph) for photograph in photographs]
    names = [photograph.name for photograph in photographs]
    found = [
        few(len(photographs)),
        _apart(names, grays),
        _about(names, _blurry(grays), "blurry"),
        _about(names, [_brightness(g) < DARK for g in grays], "dark"),
        _alike(names, grays),
        differing_sizes([photograph.original_size for photograph in photographs]),
    ]
    return [warning for warning in found if warning]


def about_broken(names: Sequence[str]) -> list[PhotographWarning]:
    """The warning about files that cannot be read, if there are any."""
    warning = _about(list(names), [True] * len(names), "broken")
    return [warning] if warning else []


def sharpness(gray: UInt8[np.ndarray, "height width"]) -> float:
    """Energy of the second derivative over that of the picture, which tells focus from contrast."""
    picture = gray.astype(np.float32)
    return float(cv2.Laplacian(picture, cv2.CV_32F).var() / max(picture.var(), 1.0))


def common_features(a: tuple, b: tuple) -> int:
    """Matches of ORB features that fit one fundamental matrix; `a` and `b` from `_features`."""
    (points_a, codes_a), (points_b, codes_b) = a, b
    if codes_a is None or codes_b is None or min(len(points_a), len(points_b)) < 8:
        return 0
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(codes_a, codes_b, 2)
    near = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < RATIO * pair[1].distance]
    if len(near) < 8:
        return 0
    first = np.array([points_a[match.queryIdx].pt for match in near], np.float32)
    second = np.array([points_b[match.trainIdx].pt for match in near], np.float32)
    cv2.setRNGSeed(0)
    _, inliers = cv2.findFundamentalMat(first, second, cv2.FM_RANSAC, WITHIN_PX, 0.99, 300)
    return 0 if inliers is None else int(inliers.sum())


def _gray(photograph: Photograph) -> UInt8[np.ndarray, "height width"]:
    gray = cv2.cvtColor(photograph.pixels, cv2.COLOR_RGB2GRAY)
    scale = min(1.0, LONG_SIDE / max(gray.shape))
    size = (max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def _brightness(gray: UInt8[np.ndarray, "height width"]) -> float:
    return float(np.percentile(gray, 90)) / 255


def _blurry(grays: list[np.ndarray]) -> list[bool]:
    values = [sharpness(gray) for gray in grays]
    bound = max(BLURRY_ABSOLUTE, BLURRY_RELATIVE * float(np.median(values)) if values else 0.0)
    return [value < bound for value in values]


def _about(names: list[str], are_meant: list[bool], kind: WarningKind) -> PhotographWarning | None:
    meant = tuple(name for name, is_meant in zip(names, are_meant, strict=True) if is_meant)
    if not meant:
        return None
    count = texts.ONE_IS if len(meant) == 1 else texts.SOME_ARE.format(num=len(meant))
    what, advice = texts.LOOKS_WRONG[kind]
    return PhotographWarning(kind, f"{count} {what} ({_listed(meant)}): {advice}.", meant)


def _apart(names: list[str], grays: list[np.ndarray]) -> PhotographWarning | None:
    """Photographs that have nothing in common with any of those they are compared with."""
    features = [_features(gray) for gray in grays]
    best = [0] * len(grays)
    for i, j in combinations(range(len(grays)), 2):
        if len(grays) <= MOST_FOR_ALL_PAIRS or j - i <= NEIGHBOURS:
            common = common_features(features[i], features[j])
            best[i], best[j] = max(best[i], common), max(best[j], common)
    return _about(names, [value < FEWEST_COMMON for value in best], "apart")


def _features(gray: UInt8[np.ndarray, "height width"]) -> tuple:
    return cv2.ORB_create(NUM_FEATURES).detectAndCompute(gray, None)  # pyright: ignore[reportAttributeAccessIssue]


def _alike(names: list[str], grays: list[np.ndarray]) -> PhotographWarning | None:
    small = [cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32) / 255 for gray in grays]
    again = [False] + [float(np.abs(a - b).mean()) < ALIKE for a, b in pairwise(small)]
    return _about(names, again, "alike")


def _listed(names: tuple[str, ...]) -> str:
    more = texts.AND_MORE.format(num=len(names) - NAMES_SHOWN) if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
