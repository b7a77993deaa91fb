"""What shapes a result."""

from dataclasses import dataclass
from typing import Literal

from recon.errors import InputError
from recon.geometry.frames import WorldFrame
from recon.pipeline.exporters import ALL_EXPORTERS
from recon.pipeline.framing import check_framing
from recon.pipeline.loading import Poses

QualityName = Literal["fast", "balanced", "best"]


@dataclass(frozen=True)
class Quality:
    """How much work a reconstruction may be.

    Attributes:
        resolution: Long side of the images that the network sees, in pixels.
        network_views: Views that the network is given at most; further ones are used by refinement.
        refine_rounds: How often refinement goes through all views.
        refine_bounds: Least and most steps of refinement, if it goes through them at all.
    """

    resolution: int
    network_views: int
    refine_rounds: int
    refine_bounds: tuple[int, int] = (0, 0)

    def refine_steps(self, num_views: int) -> int:
        """Most steps of refinement, one view a step."""
        if not self.refine_rounds:
            return 0
        least, most = self.refine_bounds
        return min(max(self.refine_rounds * num_views, least), most)


QUALITIES: dict[QualityName, Quality] = {
    "fast": Quality(resolution=256, network_views=8, refine_rounds=0),
    "balanced": Quality(resolution=384, network_views=16, refine_rounds=10, refine_bounds=(100, 600)),
    "best": Quality(resolution=512, network_views=32, refine_rounds=30, refine_bounds=(400, 3000)),
}


@dataclass(frozen=True)
class PipelineConfig:
    """What shapes the result.

    Attributes:
        poses: Where the cameras come from.
        views: Use at most this many photographs, evenly spread; None for all.
        fps: Frames per second taken from a video; None for about 40 frames in all.
        quality: Preset for whatever is None below.
        resolution: Long side of the images that the network sees, in pixels.
        refine: Most steps of refinement; 0 for none.
        refine_poses: Whether refinement moves the cameras too.
        frame: World axes of the results; None leaves them as they are.
        up: Which way is up: "auto", "none", "+y" and the like, or "x,y,z".
        export: Names of the files to write besides `scene.json`.
        seed: Seed of all random choices.
    """

    poses: Poses = "auto"
    views: int | None = None
    fps: float | None = None
    quality: QualityName = "balanced"
    resolution: int | None = None
    refine: int | None = None
    refine_poses: bool = False
    frame: WorldFrame | None = None
    up: str = "auto"
    export: tuple[str, ...] = ("ply", "mp4", "transforms")
    seed: int = 0

    @property
    def long_side_px(self) -> int:
        """Long side of the images that the network sees."""
        return QUALITIES[self.quality].resolution if self.resolution is None else self.resolution

    @property
    def network_views(self) -> int:
        """Views that the network is given at most."""
        return QUALITIES[self.quality].network_views

    def refine_steps(self, num_views: int) -> int:
        """Most steps of refinement on so many views."""
        return QUALITIES[self.quality].refine_steps(num_views) if self.refine is None else self.refine

    def validate(self) -> "PipelineConfig":
        """Return self, or raise InputError for options without meaning."""
        unknown = [name for name in self.export if name not in ALL_EXPORTERS]
        if unknown:
            raise InputError(
                f"unknown export {', '.join(map(repr, unknown))}", hint=f"there are {', '.join(sorted(ALL_EXPORTERS))}"
            )
        if self.quality not in QUALITIES:
            raise InputError(f"quality is {self.quality!r}", hint=f"choose one of {', '.join(QUALITIES)}")
        if self.views is not None and self.views < 2:
            raise InputError(f"views is {self.views}, expected at least 2")
        if not 64 <= self.long_side_px <= 2048:
            raise InputError(f"resolution is {self.long_side_px} px, expected 64 to 2048")
        if self.refine is not None and not 0 <= self.refine <= 100_000:
            raise InputError(f"refine is {self.refine} steps, expected 0 to 100000")
        check_framing(self.frame, self.up)
        return self
