"""The Lipschitz head beside a plain perceptron: how well both hold a signed distance, and how steep they become."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from models.layers.heads.sandwich import LipschitzHead

STEPS, POINTS, RATE = 2000, 512, 3e-3
HIDDEN = 64
Points = Float[Tensor, "points 3"]


def measure() -> dict[str, dict[str, float]]:
    """Fit both to the distance from a ball and a box.

    Returns:
        Of "perceptron" and "sandwich": "error", mean absolute, the scene being 2 wide; "steepest", the largest gradient
        that was found, above 1 where a ray that is traced by the distance may step through the surface; "macs".
    """
    return {name: _fitted(make) for name, make in {"perceptron": _perceptron, "sandwich": _sandwich}.items()}


def true_distance(points: Points) -> Float[Tensor, " points"]:
    """From a ball and a box, negative inside."""
    ball = (points - torch.tensor([-0.4, 0.0, 0.0])).norm(dim=1) - 0.35
    outside = (points - torch.tensor([0.45, 0.1, 0.0])).abs() - torch.tensor([0.25, 0.3, 0.2])
    box = outside.clamp(min=0).norm(dim=1) + outside.amax(1).clamp(max=0)
    return torch.minimum(ball, box)


def _perceptron() -> nn.Module:
    return nn.Sequential(
        nn.Linear(3, HIDDEN), nn.ELU(), nn.Linear(HIDDEN, 2 * HIDDEN), nn.ELU(), nn.Linear(2 * HIDDEN, 1)
    )


def _sandwich() -> nn.Module:
    return LipschitzHead(3, 1, hidden=HIDDEN, layers=2)


def _fitted(make: Callable[[], nn.Module]) -> dict[str, float]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        head = make()
        optimiser = torch.optim.Adam(head.parameters(), lr=RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
        for _ in range(STEPS):
            points = 2 * torch.rand(POINTS, 3) - 1
            loss = l1_loss(head(points)[:, 0], true_distance(points))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        head.eval()
        points = 2 * torch.rand(20_000, 3) - 1
        with torch.no_grad():
            error = float((head(points)[:, 0] - true_distance(points)).abs().mean())
        return {"error": error, "steepest": _steepest(head, points), "macs": _macs(head)}


def _steepest(head: nn.Module, points: Points) -> float:
    points = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(head(points).sum(), points)
    return float(gradient.norm(dim=1).max())


def _macs(head: nn.Module) -> int:
    if isinstance(head, LipschitzHead):
        return head.macs()
    return sum(part.weight.numel() for part in head.modules() if isinstance(part, nn.Linear))
