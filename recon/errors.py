"""Every error that a user can meet. Each says what was found, what was expected, and what to do."""

from typing import Any


class ReconError(Exception):
    """Base of all typed errors.

    Args:
        message: What was found and what was expected.
        hint: What the person can do about it.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = ""):
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, on its way from one process to another."""
        return _remade, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


def _remade(kind: type[ReconError], args: tuple[Any, ...], state: dict[str, Any]) -> ReconError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class InputError(ReconError):
    """The given photographs, folder or option cannot be used."""

    exit_code = 2


class FormatError(InputError):
    """A file does not follow the format that its name or place promises."""


class LimitError(InputError):
    """An input is larger than the stated limits allow."""


class GeometryError(InputError):
    """Cameras, points or Gaussians hold values with no geometric meaning (NaN, non-rotation, zero scale)."""


class UnusableCaptureError(InputError):
    """A capture of a data set cannot be trained or evaluated on.

    Args:
        reason: The kind of fault in a few words, the same for all captures with it, so that they can be counted.
        message: What was found and what was expected.
        hint: What the person can do about it.
    """

    def __init__(self, reason: str, message: str, *, hint: str = ""):
        super().__init__(message, hint=hint)
        self.reason = reason


class PoseError(ReconError):
    """Camera poses could not be found from the photographs."""

    exit_code = 3


class CheckpointError(ReconError):
    """Weights are missing, of another shape, or not in a safe format."""

    exit_code = 4


class ExportError(ReconError):
    """A result could not be written."""

    exit_code = 5


class ResourceError(ReconError):
    """The machine lacks the memory, device or library that the request needs."""

    exit_code = 6


class TrainingError(ReconError):
    """Training met a state from which going on would spoil the weights."""

    exit_code = 7
