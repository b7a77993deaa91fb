"""What a comparison with recorded numbers found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TensorError:
    """One tensor compared.

    Attributes:
        name: As in the fixture.
        error: Largest difference, in the measure that `tolerance` is meant in (the check's docstring says which).
        tolerance: Largest error that is allowed.
    """

    name: str
    error: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether the error is within the tolerance; NaN is not."""
        return self.error <= self.tolerance
