"""How much photographs seem to share, judged by a few features of each: far cheaper than matching all of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pycolmap
import torch
from jaxtyping import Float, Int
from torch import Tensor

from recon.sfm.workspace import image_index

# Products of one photograph's descriptors with those of this many others at a time: 40 MB of float32 for 400 each.
_OTHERS_AT_ONCE = 64


def read_signatures(database: Path, num_descriptors: int) -> dict[int, Float[np.ndarray, "_ channels"]]:
    """SIFT descriptors of unit length of the largest features of each photograph, by its index.

    Large features are few in any picture of a place, and are found again from farther away than small ones.
    """
    with pycolmap.Database.open(database) as opened:
        found = {image_index(image.name): image.image_id for image in opened.read_all_images()}
        return {index: _signature(opened, found[index], num_descriptors) for index in sorted(found)}


def _signature(
    database: pycolmap.Database, image_id: int, num_descriptors: int
) -> Float[np.ndarray, "descriptors channels"]:
    if not database.num_keypoints_for_image(image_id):
        return np.zeros((0, 128), np.float32)
    keypoints = database.read_keypoints(image_id).astype(np.float64)
    area = np.abs(keypoints[:, 2] * keypoints[:, 5] - keypoints[:, 3] * keypoints[:, 4])
    largest = np.argsort(-area, kind="stable")[:num_descriptors]
    descriptors = np.asarray(database.read_descriptors(image_id).data)[largest].astype(np.float32)
    return descriptors / np.maximum(np.linalg.norm(descriptors, axis=1, keepdims=True), 1e-6)


def count_shared(
    signatures: Sequence[Float[np.ndarray, "_ channels"]], max_ratio: float
) -> Int[np.ndarray, "photographs photographs"]:
    """Number of descriptors that are each other's nearest and pass Lowe's ratio test, for all pairs.

    Args:
        signatures: Descriptors of unit length, of each photograph; their numbers may differ.
        max_ratio: Largest ratio of the distances to the nearest and to the second nearest descriptor (Lowe 2004,
            section 7.1), tested from the earlier of the two photographs.

    Returns:
        Symmetric, with zeros on the diagonal.
    """
    num = len(signatures)
    padded = _pad(signatures)
    shared = np.zeros((num, num), np.int64)
    for first in range(num - 1):
        for begin in range(first + 1, num, _OTHERS_AT_ONCE):
            others = padded[begin : begin + _OTHERS_AT_ONCE]
            shared[first, begin : begin + len(others)] = _shared_with(padded[first], others, max_ratio).numpy()
    return shared + shared.T


def _pad(signatures: Sequence[np.ndarray]) -> Float[Tensor, "photographs descriptors channels"]:
    """Zeros in the place of missing descriptors: as far from all others, so that they fail the ratio test."""
    padded = torch.zeros(len(signatures), max(2, *map(len, signatures)), signatures[0].shape[1])
    for row, signature in zip(padded, signatures, strict=True):
        row[: len(signature)] = torch.from_numpy(signature)
    return padded


def _shared_with(
    first: Float[Tensor, "descriptors channels"],
    others: Float[Tensor, "others descriptors channels"],
    max_ratio: float,
) -> Int[Tensor, " others"]:
    cosine = (first @ others.flatten(0, 1).T).unflatten(1, others.shape[:2])
    nearest, where = cosine.max(dim=2)
    back = cosine.argmax(dim=0)
    cosine.scatter_(2, where[..., None], -torch.inf)
    second = cosine.amax(dim=2)
    # Squared distances of unit vectors are 2 - 2 cosine.
    distinct = (1 - nearest) < max_ratio**2 * (1 - second)
    rows = torch.arange(len(first))[:, None]
    mutual = rows == back.gather(1, where.T).T
    return (distinct & mutual).sum(dim=0)
