"""How much memory an evaluation takes."""

import resource
import sys
from types import TracebackType

import torch


class PeakMemory:
    """Measures within a `with` what torch has allocated on a device at most.

    Args:
        device: On a CPU torch keeps no account, and nothing is measured.

    Attributes:
        num_bytes: The peak, once left; None where it was not measured.
    """

    def __init__(self, device: torch.device):
        self.device = device
        self.num_bytes: int | None = None

    def __enter__(self) -> "PeakMemory":
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.device.type == "cuda":
            self.num_bytes = torch.cuda.max_memory_allocated(self.device)


def process_memory() -> int:
    """Bytes that this process has had in memory at most, from its start on; loading and everything else included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
