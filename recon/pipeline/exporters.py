"""Every result that can be asked for by name."""

from recon.io.export import EXPORTERS, Exporter
from recon.pipeline.depth_maps import export_depth
from recon.pipeline.mesh import export_mesh
from recon.pipeline.video import export_mp4

ALL_EXPORTERS: dict[str, Exporter] = EXPORTERS | {"depth": export_depth, "mesh": export_mesh, "mp4": export_mp4}
