"""Finished stages of a run, kept on disk until the run is done, so that `--resume` need not repeat them.

Beside the output folder OUT lies `.OUT.stages/` with one safetensors file a stage. Each file carries a key: the hash of
everything that shapes the stage. A stage whose key differs is not used; the folder goes when the results are written.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from recon.errors import ExportError
from recon.io.atomic import atomic_write
from recon.pipeline.versions import library_versions
from recon.types import Cameras, Gaussians, Photograph, PoseEstimate, PoseReport

log = logging.getLogger(__name__)

GAUSSIAN_FIELDS = ("means", "scales", "quats", "opacities", "sh")


class KeptStages:
    """Stages of one run.

    Args:
        out: Folder that the results will be written to.
        resume: Whether stages of an earlier run may be used; otherwise they are thrown away when this run has a stage
            of its own to keep.
    """

    def __init__(self, out: Path, *, resume: bool):
        self.folder = out.parent / f".{out.name}.stages"
        self.foreign = not resume

    def load(self, name: str, key: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Tensors and facts of a stage, or None when there is none that fits."""
        path = self._path(name)
        if self.foreign or not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("key") != key:
                    log.info("the kept stage %s was made from other input or options and is made anew", name)
                    return None
                names = list(file.keys())
                return {name: file.get_tensor(name) for name in names}, json.loads(metadata["facts"])
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            log.warning("the kept stage %s cannot be read (%s) and is made anew", path, error)
            return None

    def save(self, name: str, key: str, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Keep a stage; a disk that does not take it is said and ends nothing."""
        if self.foreign:
            self.clear()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._path(name)) as temporary:
                whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
                save_file(whole, temporary, metadata={"key": key, "facts": json.dumps(facts)})
        except (ExportError, OSError, SafetensorError) as error:
            log.warning("the stage %s is not kept: %s", name, error)

    @contextmanager
    def until_done(self, announce: Callable[[str], None]) -> Iterator[None]:
        """Remove everything when the block is done; when it fails, say what is kept and how to go on."""
        try:
            yield
        except BaseException:
            if self.folder.is_dir():
                announce(f"finished stages are kept in {self.folder}: the same command with --resume goes on from them")
            raise
        self.clear()

    def clear(self) -> None:
        """Remove everything that is kept."""
        self.foreign = False
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"


def fingerprint(photographs: Sequence[Photograph], given: PoseEstimate | None) -> str:
    """Hash of photographs and of the poses that came with them, whatever file they came from."""
    digest = hashlib.blake2b(digest_size=16)
    for photograph in photographs:
        digest.update(
            f"{photograph.name}|{photograph.pixels.shape}|{photograph.focal_px}|{photograph.camera_id}".encode()
        )
        digest.update(np.ascontiguousarray(photograph.pixels).tobytes())
    if given is not None:
        for tensor in (given.cameras.cam_from_world, given.cameras.K, given.distortion, given.points):
            digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def stage_key(*parts: object) -> str:
    """Hash of what shapes a stage, the versions of this project and of the libraries among it."""
    parts = (library_versions(), *parts)
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def poses_to_kept(pose: PoseEstimate) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts of poses."""
    cameras = pose.cameras
    tensors = {"cam_from_world": cameras.cam_from_world, "K": cameras.K, "size": cameras.size}
    tensors |= {"distortion": pose.distortion, "points": pose.points, "registered": torch.tensor(pose.registered)}
    if pose.point_colors is not None:
        tensors["point_colors"] = pose.point_colors
    return tensors, {"source": pose.source, "report": asdict(pose.report)}


def poses_from_kept(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> PoseEstimate:
    """What `poses_to_kept` took apart."""
    return PoseEstimate(
        source=facts["source"],
        registered=tuple(tensors["registered"].tolist()),
        cameras=Cameras(tensors["cam_from_world"], tensors["K"], tensors["size"]),
        distortion=tensors["distortion"],
        points=tensors["points"],
        report=PoseReport(**facts["report"]),
        point_colors=tensors.get("point_colors"),
    )


def gaussians_to_kept(gaussians: Gaussians) -> dict[str, Tensor]:
    """Tensors of Gaussians."""
    return {name: getattr(gaussians, name) for name in GAUSSIAN_FIELDS}


def gaussians_from_kept(tensors: Mapping[str, Tensor]) -> Gaussians:
    """What `gaussians_to_kept` took apart."""
    return Gaussians(*(tensors[name] for name in GAUSSIAN_FIELDS))
