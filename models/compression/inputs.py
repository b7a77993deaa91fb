"""How large the inputs of linear layers are on real data."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from recon.errors import InputError


def record_input_rms(linears: Mapping[str, nn.Module], run: Callable[[], object]) -> dict[str, Float[Tensor, " n"]]:
    """Root mean square of every input channel of layers while something runs.

    Args:
        linears: Name -> layer.
        run: Runs the network on calibration data; about 100 samples are enough (LoRAP, Li et al. 2024).

    Raises:
        InputError: A layer was not reached.
    """
    sums: dict[str, Tensor] = {}
    counts = dict.fromkeys(linears, 0)

    def add(name: str, rows: Tensor) -> None:
        sums[name] = sums.get(name, 0) + rows.double().square().sum(0)
        counts[name] += len(rows)

    observe_inputs(linears, run, add)
    return {name: (total / counts[name]).sqrt().float() for name, total in sums.items()}


def observe_inputs(
    linears: Mapping[str, nn.Module], run: Callable[[], object], note: Callable[[str, Tensor], None]
) -> None:
    """Show what enters layers while something runs.

    Args:
        linears: Name -> layer.
        run: Runs the network, without gradients.
        note: Called with the name and the inputs of every call, [rows, channels] and at least one row.

    Raises:
        InputError: A layer was not reached.
    """
    missed = dict.fromkeys(linears)

    def observe(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            rows = inputs[0].detach().flatten(0, -2)
            if len(rows):
                missed.pop(name, None)
                note(name, rows)

        return hook

    hooks = [layer.register_forward_pre_hook(observe(name)) for name, layer in linears.items()]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    if missed:
        raise InputError(
            f"{len(missed)} of {len(linears)} layers saw no calibration data, the first is {next(iter(missed))}",
            hint="run the whole network on at least one sample",
        )
