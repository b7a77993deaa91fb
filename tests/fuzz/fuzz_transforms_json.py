"""Given poses in transforms.json, beside photographs that are there; the same file as the path of a camera."""

import json
from contextlib import suppress
from pathlib import Path

import torch
from fuzzing import SMALL
from seed_data import picture, small_cameras, written

from recon.errors import ReconError
from recon.io.camera_path import read_camera_path
from recon.io.transforms_json import read_transforms, write_transforms

NAMES = ("a.png", "b.png")


def seeds() -> list[bytes]:
    matrix = torch.eye(4).tolist()
    frame = {"file_path": "./a", "transform_matrix": matrix, "depth_file_path": "d.png", "mask_path": "m.png"}
    lens = {"fl_x": 9, "fl_y": 9, "cx": 4, "cy": 3, "w": 8, "h": 6, "k1": 0.1, "k2": 0.0, "p1": 0.0, "p2": 0.01}
    angle = {"camera_angle_x": 0.8, "aabb_scale": 4, "frames": [frame, frame | {"file_path": "b.png"}]}
    return [
        written(lambda path: write_transforms(path, small_cameras(), NAMES), "transforms.json"),
        json.dumps(lens | {"camera_model": "OPENCV", "applied_transform": matrix[:3], "frames": [frame]}).encode(),
        json.dumps(angle).encode(),
    ]


def feed(data: bytes, folder: Path) -> object:
    for name in NAMES:
        if not (folder / name).exists():
            picture().save(folder / name)
    path = folder / "transforms.json"
    path.write_bytes(data)
    with suppress(ReconError):
        read_camera_path(path, (8, 6), limits=SMALL)
    return read_transforms(path, limits=SMALL)
