"""Rotations as SPZ packs them; quaternions here are (x, y, z, w)."""

import numpy as np
from jaxtyping import Float, UInt8

LARGEST_CODE = 511
"""Of the 9 bits that a magnitude has."""


def pack_smallest_three(quats: Float[np.ndarray, "rows 4"]) -> UInt8[np.ndarray, "rows 4"]:
    """Words of 2 + 3 x 10 bits: index of the largest component, then sign and magnitude of the others in order."""
    which = np.abs(quats).argmax(1)
    positive = np.where(np.take_along_axis(quats, which[:, None], axis=1) < 0, -quats, quats)
    words = which.astype("<u4")
    magnitudes = np.minimum(np.round(np.abs(positive) * (np.sqrt(2) * LARGEST_CODE)), LARGEST_CODE).astype("<u4")
    codes = magnitudes | ((positive < 0).astype("<u4") << 9)
    for i in range(4):
        words = np.where(which == i, words, (words << 10) | codes[:, i])
    return np.ascontiguousarray(words.astype("<u4")).view(np.uint8).reshape(-1, 4)


def unpack_smallest_three(table: UInt8[np.ndarray, "rows 4"]) -> Float[np.ndarray, "rows 4"]:
    """Unit quaternions from such words."""
    words = np.ascontiguousarray(table).view("<u4").reshape(-1)
    which = words >> 30
    quats = np.zeros((len(words), 4), np.float32)
    for i in (3, 2, 1, 0):
        value = (words & LARGEST_CODE) / np.float32(np.sqrt(2) * LARGEST_CODE)
        quats[:, i] = np.where(which == i, 0, np.where(words & 512, -value, value))
        words = np.where(which == i, words, words >> 10)
    return _completed(quats, which[:, None])


def unpack_first_three(table: UInt8[np.ndarray, "rows 3"]) -> Float[np.ndarray, "rows 4"]:
    """Unit quaternions from bytes that stand for x, y, z in -1..1."""
    quats = np.zeros((len(table), 4), np.float32)
    quats[:, :3] = table.astype(np.float32) / 127.5 - 1
    return _completed(quats, np.full((len(table), 1), 3))


def _completed(quats: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Unit quaternions, the component `which` found from the others."""
    left_out = np.sqrt(np.maximum(0, 1 - (quats**2).sum(1, keepdims=True)))
    np.put_along_axis(quats, which.astype(np.int64), left_out, axis=1)
    return quats / np.linalg.norm(quats, axis=1, keepdims=True)
