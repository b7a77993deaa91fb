"""Writes scenes in every format, reads them with programs of other people, renders both, and prints what differs.

Usage: check_formats.py FOLDER_OF_NPM_PACKAGES [SCENE.ply]. Exit code 1 where a bound is missed.
"""

import json
import math
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from other_readers import with_gltf_transform, with_plyfile, with_splat_transform

from recon.io.splats.files import FORMATS, read_gaussians, write_gaussians
from recon.metrics.gaussians import largest_errors
from recon.metrics.image import psnr
from recon.render import render
from recon.types import Cameras, Gaussians

# SPZ keeps scales in steps of 6 per cent, which a cloud of few and large Gaussians shows; scenes reach 60 dB.
MIN_PSNR = {".ply": 50.0, ".glb": 50.0, ".splat": 50.0, ".spz": 45.0}
NUM_GAUSSIANS = 3000
# Without loss but for the rounding of logits, logarithms and units to float32.
EXACT = {"means": 0.0, "scales": 1e-5, "rotation_deg": 1e-3, "opacities": 1e-5, "sh": 0.0}


@dataclass(frozen=True)
class Row:
    """What came back of one scene by one way."""

    scene: str
    way: str
    psnr: float
    errors: dict[str, float]
    validator_errors: int
    not_finite: int
    passed: bool


def random_scene(degree: int) -> Gaussians:
    """A cloud of the sizes, opacities and colours that reconstructions have."""
    generator = torch.Generator().manual_seed(degree)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    dc = (torch.rand(NUM_GAUSSIANS, 1, 3, generator=generator) - 0.5) / 0.2821
    higher = (0.15 * normal(NUM_GAUSSIANS, (degree + 1) ** 2 - 1, 3)).clamp(-0.9, 0.9)
    return Gaussians(
        means=normal(NUM_GAUSSIANS, 3).clamp(-2, 2),
        scales=(0.5 * normal(NUM_GAUSSIANS, 3) - 2.7).exp(),
        quats=torch.nn.functional.normalize(normal(NUM_GAUSSIANS, 4), dim=1),
        opacities=torch.rand(NUM_GAUSSIANS, generator=generator),
        sh=torch.cat([dc, higher], 1),
    )


def cameras_around(gaussians: Gaussians) -> Cameras:
    """Three cameras outside that look at the middle of the Gaussians."""
    centre = gaussians.means.median(0).values
    radius = float((gaussians.means - centre).norm(dim=1).quantile(0.9))
    poses = []
    for angle in (0.0, 2.0, 4.0):
        c, s = math.cos(angle), math.sin(angle)
        pose = torch.tensor([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, 2.5 * radius], [0, 0, 0, 1]])
        pose[:3, 3] -= pose[:3, :3] @ centre
        poses.append(pose)
    K = torch.tensor([[180.0, 0, 80], [0, 180, 60], [0, 0, 1]])
    return Cameras(torch.stack(poses), K.expand(3, 3, 3), torch.tensor([[160, 120]]).expand(3, 2))


def ways_of(readers: Path, folder: Path, gaussians: Gaussians) -> dict[str, tuple[Gaussians, int]]:
    """What each other program reads of the files that we write, and the errors of a validator."""
    files = {suffix: folder / f"scene{suffix}" for suffix in FORMATS}
    for path in files.values():
        write_gaussians(path, gaussians)
    glb, errors = with_gltf_transform(readers, files[".glb"])
    return {
        ".ply, plyfile": (with_plyfile(files[".ply"]), 0),
        ".ply, splat-transform": (with_splat_transform(readers, files[".ply"]), 0),
        ".glb, glTF-Transform": (glb, len(errors)),
        ".spz, splat-transform": (with_splat_transform(readers, files[".spz"]), 0),
        ".splat, splat-transform": (with_splat_transform(readers, files[".splat"]), 0),
    }


def check(readers: Path, name: str, gaussians: Gaussians) -> list[Row]:
    """One row for each way. A .splat has no view-dependent colour: it is held against the scene without."""
    cameras, rows = cameras_around(gaussians), []
    with tempfile.TemporaryDirectory() as folder:
        found = ways_of(readers, Path(folder), gaussians)
    for way, (read, validator_errors) in found.items():
        suffix = way.split(",")[0]
        reference = FORMATS[suffix].arranged(gaussians)
        if suffix == ".splat":
            reference = Gaussians(**vars(reference) | {"sh": reference.sh[:, :1]})
        errors = largest_errors(read, reference)
        quality = _psnr(read, reference, cameras)
        not_finite = sum(int((~torch.isfinite(value)).sum()) for value in vars(read).values())
        exact = suffix in (".splat", ".spz") or all(errors[field] <= bound for field, bound in EXACT.items())
        passed = exact and quality >= MIN_PSNR[suffix] and not validator_errors and not not_finite
        rows.append(Row(name, way, quality, errors, validator_errors, not_finite, passed))
    return rows


def _psnr(read: Gaussians, reference: Gaussians, cameras: Cameras) -> float:
    images = [render(g, cameras).color.permute(0, 3, 1, 2) for g in (read, reference)]
    return float(psnr(images[0], images[1]).min())


def main(arguments: list[str]) -> int:
    readers = Path(arguments[0]).resolve()
    scenes = {path: read_gaussians(Path(path)) for path in arguments[1:]}
    scenes = scenes or {f"degree {degree}": random_scene(degree) for degree in range(4)}
    missed = 0
    for name, gaussians in scenes.items():
        for row in check(readers, name, gaussians):
            missed += not row.passed
            errors = {field: float(f"{error:.3g}") for field, error in row.errors.items()}
            sys.stdout.write(json.dumps(vars(row) | {"psnr": round(row.psnr, 2), "errors": errors}) + "\n")
    sys.stderr.write(f"{missed} missed\n" if missed else "all passed\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
