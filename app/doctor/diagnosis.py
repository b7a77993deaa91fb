"""All that the doctor looks at, in one place."""

from dataclasses import asdict, dataclass
from typing import Any

from app.doctor.codecs import image_formats, video_decoders, write_and_read_a_video
from app.doctor.machine import kernel_cache, libraries, machine_facts
from app.doctor.parts import OPTIONAL_PARTS, PartState, look_for
from app.doctor.trials import Trial, attempt, rasterizer_states, reconstruct_two_views, render_one_gaussian
from app.doctor.weights import ShippedWeights, shipped_weights

TRIALS = {"render": render_one_gaussian, "network": reconstruct_two_views, "video": write_and_read_a_video}


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        machine: Facts about the machine.
        libraries: Name to version.
        rasterizers: Name to state.
        kernel_cache: Where compiled kernels are kept, and whether that works.
        reads: Kinds of photographs and videos that are read.
        parts: Optional parts.
        weights: Shipped weights.
        trials: Small runs; all must succeed for the main job to work.
    """

    machine: dict[str, Any]
    libraries: dict[str, str]
    rasterizers: dict[str, str]
    kernel_cache: dict[str, str]
    reads: dict[str, str]
    parts: list[PartState]
    weights: list[ShippedWeights]
    trials: list[Trial]

    @property
    def ok(self) -> bool:
        """Whether the main job works here."""
        return all(trial.ok for trial in self.trials)

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        parts = {
            state.part.package: {
                "version": state.version,
                "purpose": state.part.purpose,
                "missing_packages": list(state.missing_packages),
                "broken": state.broken,
                "advice": state.advice,
            }
            for state in self.parts
        }
        return {"ok": self.ok, **asdict(self), "parts": parts}


def diagnose() -> Diagnosis:
    """Look at everything; takes some seconds."""
    return Diagnosis(
        machine=machine_facts(),
        libraries=libraries(),
        rasterizers=rasterizer_states(),
        kernel_cache=kernel_cache(),
        reads={"photographs": image_formats(), "videos": video_decoders()},
        parts=[look_for(part) for part in OPTIONAL_PARTS],
        weights=shipped_weights(),
        trials=[attempt(name, run) for name, run in TRIALS.items()],
    )
