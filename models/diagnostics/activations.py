"""What flows through a network: size of every output, covariance of hidden units."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from models.diagnostics.covariance import Covariance
from models.diagnostics.matrices import LinearMap
from models.ilrm.nano.features import ResidualBlock
from models.layers.block import Block
from models.layers.contracts import FeedForward
from recon.errors import InputError

BLOCKS = (Block, ResidualBlock)
"""Layers whose output is the running state that others add to."""


class Activations:
    """Figures by name of a layer, filled while `recording` is open.

    Attributes:
        hidden: Of the inputs of second maps of feed-forward layers and of residual blocks: their hidden units.
    """

    def __init__(self) -> None:
        self.hidden: dict[str, Covariance] = {}
        self._squares: dict[str, tuple[float, int]] = {}

    def rms(self, name: str) -> float | None:
        """Root mean square of the outputs of a layer or block; None if it was never called."""
        total, count = self._squares.get(name, (0.0, 0))
        return (total / count) ** 0.5 if count else None

    def note_output(self, name: str, output: Any) -> None:
        """Take the output of a layer into account."""
        if isinstance(output, Tensor):
            total, count = self._squares.get(name, (0.0, 0))
            self._squares[name] = total + float(output.detach().double().square().sum()), count + output.numel()

    def note_hidden(self, name: str, hidden: Tensor, *, channels_first: bool) -> None:
        """Take hidden units into account: [..., width] tokens, or [n, width, height, width_px] maps."""
        samples = (hidden.movedim(1, -1) if channels_first else hidden).flatten(0, -2)
        self.hidden.setdefault(name, Covariance(samples.shape[-1])).add(samples)


@contextmanager
def recording(network: nn.Module) -> Iterator[Activations]:
    """Note what flows through a network until the context closes; outputs are not changed.

    Raises:
        InputError: Nothing flowed.
    """
    found = Activations()
    handles = [*_watch_outputs(network, found), *_watch_hidden(network, found)]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
    if not found._squares:
        raise InputError("no data flowed through the network while it was watched")


def second_maps(network: nn.Module) -> dict[str, nn.Module]:
    """Name -> the map that hidden units are the input of, where a layer has one such map."""
    found: dict[str, nn.Module] = {}
    for name, part in network.named_modules():
        inner = "fc2" if isinstance(part, FeedForward) else "conv2" if isinstance(part, ResidualBlock) else ""
        if inner and isinstance(second := getattr(part, inner, None), nn.Module):
            found[f"{name}.{inner}" if name else inner] = second
    return found


def _watch_outputs(network: nn.Module, found: Activations) -> list[RemovableHandle]:
    def watch(name: str, part: nn.Module) -> RemovableHandle:
        return part.register_forward_hook(lambda _part, _inputs, output: found.note_output(name, output))

    return [watch(name, part) for name, part in network.named_modules() if isinstance(part, (*LinearMap, *BLOCKS))]


def _watch_hidden(network: nn.Module, found: Activations) -> list[RemovableHandle]:
    def watch(name: str, part: nn.Module) -> RemovableHandle:
        first = isinstance(part, nn.Conv2d)
        return part.register_forward_pre_hook(
            lambda _part, inputs: found.note_hidden(name, inputs[0], channels_first=first)
        )

    return [watch(name, part) for name, part in second_maps(network).items()]
