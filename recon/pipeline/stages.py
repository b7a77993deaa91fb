"""The parts of a run, in their order."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One part of a run.

    Attributes:
        name: Key, also of the times in the report.
        words: For people.
        share: Typical part of the wall time of a run that has all stages; only ratios count.
    """

    name: str
    words: str
    share: float


STAGES = (
    Stage("load", "Reading the photographs", 0.02),
    Stage("poses", "Finding where the camera was", 0.24),
    Stage("gaussians", "Building the scene", 0.06),
    Stage("refinement", "Refining it on the photographs", 0.42),
    Stage("export", "Writing the files", 0.26),
)
"""In their order. A new stage is one line here and one `with run.stage(name, message)` around its work."""
