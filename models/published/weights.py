"""What the reader of a published checkpoint gives."""

from typing import Any, NamedTuple

from torch import nn


class PublishedWeights(NamedTuple):
    """A network with weights as they were published.

    Attributes:
        network: On the CPU; its parameters are mapped from the file, which must stay until they are written.
        config: That it was built from.
        variant: Which of the published ones it is, in words.
        left_out: What else the checkpoint holds and inference does not need, in words.
    """

    network: nn.Module
    config: Any
    variant: str
    left_out: tuple[str, ...]
