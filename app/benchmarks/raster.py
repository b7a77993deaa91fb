"""Speed of the CPU rasteriser, and that it stays correct at size."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor

from app.benchmarks.raster_scenes import BenchmarkScene, SceneKind, make_scene
from recon.render import Rasterizer, get_rasterizer

# Milliseconds (forward, forward and backward) of the prototype that set the target: numba, 2 threads of a Zen 4
# machine with 2 cores, minimum over repeated calls.
TARGETS_MS: dict[tuple[SceneKind, int, int], tuple[float, float]] = {
    ("volume", 16_384, 128): (4.1, 7.7),
    ("volume", 16_384, 256): (5.1, 12.7),
    ("volume", 16_384, 512): (6.4, 13.8),
    ("volume", 65_536, 128): (8.6, 23.6),
    ("volume", 65_536, 256): (20.5, 38.9),
    ("volume", 65_536, 512): (23.0, 62.0),
    ("volume", 262_144, 128): (32.1, 63.8),
    ("volume", 262_144, 256): (42.7, 100.0),
    ("volume", 262_144, 512): (93.3, 215.0),
    ("surface", 16_384, 128): (3.0, 10.2),
    ("surface", 16_384, 256): (6.4, 17.2),
    ("surface", 16_384, 512): (13.4, 39.1),
    ("surface", 65_536, 128): (11.9, 26.6),
    ("surface", 65_536, 256): (16.4, 39.9),
    ("surface", 65_536, 512): (26.9, 64.7),
    ("surface", 262_144, 128): (51.1, 107.0),
    ("surface", 262_144, 256): (57.3, 133.0),
    ("surface", 262_144, 512): (82.9, 222.0),
}
_THREADS = 2
_CONTROL_SIZE = 2048
_MILLION = 1_000_000


def run(rounds: int = 20) -> dict[str, Any]:
    """Time every cell of the table in turn, `rounds` times over, with a matrix product as control in each round.

    Returns:
        "rows": per scene, number of Gaussians and image size the minimum and median milliseconds of the forward and of
        the forward and backward pass, the least CPU time over all threads (which other processes disturb less), the
        target and the ratio of the minimum to it; "control": GFLOP/s of the matrix
        products; "million": one million Gaussians at 512 x 512; "oracle": largest differences from the dense
        definition.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(_THREADS)
    try:
        rasterizer = get_rasterizer("cpu")
        cells = {cell: _cell_timers(rasterizer, *cell) for cell in TARGETS_MS}
        times: dict[tuple, tuple[list[_Time], list[_Time]]] = {cell: ([], []) for cell in cells}
        control_operand = torch.randn(_CONTROL_SIZE, _CONTROL_SIZE, generator=torch.Generator().manual_seed(0))
        control = []
        for _ in range(rounds):
            control.append(2e-6 * _CONTROL_SIZE**3 / _measure(lambda: control_operand @ control_operand).wall_ms)
            for cell, timers in cells.items():
                for timer, kept in zip(timers, times[cell], strict=True):
                    kept.append(_measure(timer))
        return {
            "threads": _THREADS,
            "rounds": rounds,
            "control": {
                "operation": f"matmul {_CONTROL_SIZE}^3 float32",
                "max": max(control),
                "median": median(control),
            },
            "rows": [_row(cell, *times[cell]) for cell in cells],
            "million": _million(rasterizer),
            "oracle": _oracle(rasterizer),
        }
    finally:
        torch.set_num_threads(before)


class _Time(NamedTuple):
    wall_ms: float
    cpu_ms: float


def _measure(function: Callable[[], object]) -> _Time:
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return _Time(1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu))


def _cell_timers(
    rasterizer: Rasterizer, kind: SceneKind, num: int, size_px: int
) -> tuple[Callable[[], object], Callable[[], object]]:
    generator = torch.Generator().manual_seed(0)
    scene = make_scene(kind, num, size_px, generator)
    weights = torch.randn(1, size_px, size_px, 3, generator=generator)

    def forward() -> None:
        with torch.no_grad():
            rasterizer(*scene, size_px, size_px)

    def forward_backward() -> None:
        _gradients(rasterizer, scene, size_px, weights)

    forward_backward()  # compile, and touch the memory
    return forward, forward_backward


def _gradients(
    rasterizer: Rasterizer, scene: BenchmarkScene, size_px: int, weights: Tensor
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The image, and the gradients of its weighted sum for all but the cameras."""
    leaves = [tensor.detach().requires_grad_() for tensor in scene[:5]]
    image = rasterizer(*leaves, scene.viewmats, scene.Ks, size_px, size_px).color  # pyright: ignore[reportCallIssue]
    return image.detach(), torch.autograd.grad(image, leaves, weights)


def _row(cell: tuple[SceneKind, int, int], forward: list[_Time], forward_backward: list[_Time]) -> dict[str, Any]:
    kind, num, size_px = cell
    row: dict[str, Any] = {"scene": kind, "gaussians": num, "size_px": size_px}
    for name, measured, target in zip(
        ("forward", "forward_backward"), (forward, forward_backward), TARGETS_MS[cell], strict=True
    ):
        row[f"{name}_min_ms"] = min(time.wall_ms for time in measured)
        row[f"{name}_median_ms"] = median(time.wall_ms for time in measured)
        row[f"{name}_cpu_min_ms"] = min(time.cpu_ms for time in measured)
        row[f"{name}_target_ms"] = target
        row[f"{name}_ratio"] = row[f"{name}_min_ms"] / target
    return row


def _million(rasterizer: Rasterizer) -> dict[str, Any]:
    """One million Gaussians: is everything finite, and the same at one and two threads?"""
    size_px, generator = 512, torch.Generator().manual_seed(1)
    scene = make_scene("surface", _MILLION, size_px, generator)
    weights = torch.randn(1, size_px, size_px, 3, generator=generator)
    results, seconds = [], []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        start = time.perf_counter()
        image, gradients = _gradients(rasterizer, scene, size_px, weights)
        seconds.append(time.perf_counter() - start)
        results.append((image, *gradients))
    return {
        "gaussians": len(scene.means),
        "size_px": size_px,
        "forward_backward_s_1_thread": seconds[0],
        "forward_backward_s_2_threads": seconds[1],
        "finite": all(bool(tensor.isfinite().all()) for tensor in results[0]),
        "equal_at_1_and_2_threads": all(torch.equal(a, b) for a, b in zip(*results, strict=True)),
    }


def _oracle(rasterizer: Rasterizer) -> dict[str, Any]:
    """Two thousand Gaussians against the dense definition in float64: largest differences, relative to the largest."""
    size_px, generator = 64, torch.Generator().manual_seed(2)
    scene = make_scene("volume", 2_000, size_px, generator)
    weights = torch.randn(1, size_px, size_px, 3, generator=generator)
    image, gradients = _gradients(rasterizer, scene, size_px, weights)
    true_image, true_gradients = _gradients(get_rasterizer("oracle"), scene, size_px, weights)
    errors = {"image": _relative_error(image, true_image)}
    for name, gradient, true in zip(BenchmarkScene._fields, gradients, true_gradients, strict=False):
        errors[name] = _relative_error(gradient, true)
    return {"gaussians": len(scene.means), "size_px": size_px, "errors": errors}


def _relative_error(found: Tensor, true: Tensor) -> float:
    return float((found - true).abs().max() / true.abs().max())
