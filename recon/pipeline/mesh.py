"""A mesh of the whole scene: depth rendered from the photographs' cameras, fused into one surface."""

from pathlib import Path

import numpy as np
import torch

from recon.geometry.frames import UP_IN_FRAME, turn_up
from recon.geometry.mesh_parts import without_small_parts
from recon.io.mesh_glb import write_mesh_glb
from recon.pipeline.pictures import pictures
from recon.pipeline.tsdf import DEFAULT_TSDF, TsdfConfig, fuse
from recon.render.orbits import up_for_paths
from recon.types import Mesh, Scene

MIN_SHARE_OF_PART = 0.02


def export_mesh(scene: Scene, folder: Path) -> list[Path]:
    """Write `mesh.glb`: the mesh of the scene if it has one, else `scene_mesh`; see `recon.io.mesh_glb`."""
    mesh = scene.mesh if scene.mesh is not None else scene_mesh(scene)
    up = up_for_paths(scene.cameras, scene.up)
    turn = turn_up(up, torch.tensor(UP_IN_FRAME["opengl"], dtype=torch.float64))
    path = folder / "mesh.glb"
    write_mesh_glb(path, mesh, turn.numpy())
    return [path]


def scene_mesh(scene: Scene, config: TsdfConfig = DEFAULT_TSDF) -> Mesh:
    """A surface with vertex colours, without crumbs of less than MIN_SHARE_OF_PART of its largest part.

    Raises:
        GeometryError: The Gaussians show no surface to the cameras.
    """
    shown = [(p.depth, p.color) for p in pictures(scene.gaussians, scene.cameras, depth=True) if p.depth is not None]
    depths, colors = np.stack([depth for depth, _ in shown]), np.stack([color for _, color in shown])
    return without_small_parts(fuse(depths, colors, scene.cameras, config), MIN_SHARE_OF_PART).validate()
