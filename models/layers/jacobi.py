"""All layers of a stack at once, from guesses of what reaches them (Song et al. 2021).

One after the other, L layers take L steps that wait for each other. In a Jacobi sweep every layer runs on the last
guess of the layer before it, none waiting; the first layer is right after one sweep, the second after two, and so on,
so after L sweeps the result is that of the stack, to the bit. This pays only where layers run side by side (several
devices) and good guesses are at hand, such as the states of the frame before.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor

from recon.errors import InputError


class Sweeps(NamedTuple):
    """What a number of sweeps came to.

    Attributes:
        states: Output of every layer; the last is that of the stack. They can be the guesses of the next call.
        layer_runs: How many layers were evaluated in all.
    """

    states: list[Tensor]
    layer_runs: int


def jacobi_stack(
    layers: Sequence[Callable[[Tensor], Tensor]],
    tokens: Tensor,
    sweeps: int,
    guesses: Sequence[Tensor] | None = None,
) -> Sweeps:
    """Evaluate a stack by sweeps; layers that are exact already are not run again.

    Args:
        layers: Each maps tokens to tokens of the same shape.
        tokens: Input of the first.
        sweeps: At least 1; as many as layers are exact.
        guesses: Output of every layer to start from; the input, as if layers changed nothing, if not given.

    Raises:
        InputError: Fewer than one sweep, or guesses that are not one for each layer.
    """
    states = [tokens] * len(layers) if guesses is None else list(guesses)
    if sweeps < 1 or len(states) != len(layers):
        raise InputError(
            f"{sweeps} sweeps with {len(states)} guesses for {len(layers)} layers",
            hint="give at least one sweep, and a guess for each layer or none",
        )
    runs = 0
    for sweep in range(min(sweeps, len(layers))):
        inputs = [tokens, *states[:-1]]
        states = states[:sweep] + [layers[i](inputs[i]) for i in range(sweep, len(layers))]
        runs += len(layers) - sweep
    return Sweeps(states, runs)
