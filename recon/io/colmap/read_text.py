"""The text form: one record a line, words between blanks, comments behind `#`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from recon.errors import FormatError, InputError, LimitError
from recon.io.colmap.model import CAMERA_MODELS, ColmapCamera, ColmapImage
from recon.io.limits import Limits


def read_cameras(path: Path, limits: Limits) -> dict[int, ColmapCamera]:
    """Cameras by their number; errors as `recon.io.colmap.read.read_model`."""
    cameras = {}
    for where, line in _records(path, limits):
        number, model, width, height, *parameters = _words(where, line, 4)
        if model not in CAMERA_MODELS:
            raise FormatError(f"{where}: camera model {model[:40]!r}, which COLMAP does not define")
        if len(parameters) != CAMERA_MODELS[model][1]:
            raise FormatError(f"{where}: {model} has {len(parameters)} parameters, expected {CAMERA_MODELS[model][1]}")
        size = (_whole(where, width), _whole(where, height))
        cameras[_whole(where, number)] = ColmapCamera(model, size, tuple(_numbers(where, parameters)))
    return cameras


def read_images(path: Path, limits: Limits) -> dict[int, ColmapImage]:
    """Images by their number; errors as `recon.io.colmap.read.read_model`.

    Each takes two lines, of which the second, with what it observed, may be empty.
    """
    images = {}
    lines = _lines(path, limits)
    for where, line in lines:
        if _is_comment(line):
            continue
        words = line.split(maxsplit=9)  # a name may hold blanks
        if len(words) != 10:
            raise FormatError(f"{where}: {len(words)} words, expected the number, pose, camera and name of an image")
        w, x, y, z, *translation = _numbers(where, words[1:8])
        name, camera_id = words[9].strip(), _whole(where, words[8])
        images[_whole(where, words[0])] = ColmapImage(
            name, camera_id, (w, x, y, z), (translation[0], translation[1], translation[2])
        )
        where, observations = next(lines, (where, ""))
        if len(observations.split()) % 3:
            raise FormatError(f"{where}: expected X, Y, POINT3D_ID of each observation, or an empty line")
    return images


def read_points(path: Path, limits: Limits) -> tuple[Float64[np.ndarray, "points 3"], UInt8[np.ndarray, "points 3"]]:
    """Points and their colours; errors as `recon.io.colmap.read.read_model`."""
    points, colors = [], []
    for where, line in _records(path, limits):
        words = _words(where, line, 8)
        if len(points) >= limits.max_sparse_points:
            raise LimitError(f"{path}: more than {limits.max_sparse_points:,} points")
        points.append(_numbers(where, words[1:4]))
        colors.append([_whole(where, word) for word in words[4:7]])
        if max(colors[-1]) > 255:
            raise FormatError(f"{where}: a colour is {max(colors[-1])}, expected 0 to 255")
    return np.array(points, np.float64).reshape(-1, 3), np.array(colors, np.uint8).reshape(-1, 3)


def _lines(path: Path, limits: Limits) -> Iterator[tuple[str, str]]:
    """Each line with the beginning of an error message about it."""
    try:
        num_bytes = path.stat().st_size
        if num_bytes > limits.max_model_bytes:
            raise LimitError(f"{path}: {num_bytes:,} bytes, at most {limits.max_model_bytes:,} are allowed")
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                yield f"{path}: line {number}", line
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: is not text in UTF-8 ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror or error})") from error


def _records(path: Path, limits: Limits) -> Iterator[tuple[str, str]]:
    return ((where, line) for where, line in _lines(path, limits) if not _is_comment(line))


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _words(where: str, line: str, least: int) -> list[str]:
    words = line.split()
    if len(words) < least:
        raise FormatError(f"{where}: {len(words)} words, expected at least {least}")
    return words


def _whole(where: str, word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= 19):
        raise FormatError(f"{where}: {word[:40]!r}, expected a whole number")
    return int(word)


def _numbers(where: str, words: list[str]) -> list[float]:
    try:
        return [float(word) for word in words]
    except ValueError as error:
        raise FormatError(f"{where}: {error}") from error
