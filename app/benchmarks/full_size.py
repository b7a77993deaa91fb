"""The published iLRM at its full size on this machine: one training step of each variant."""

import resource
import sys
import time
from typing import Any

import torch

from models.ilrm.config import DL3DV_WIDE, RE10K_2VIEW, ILRMConfig
from models.ilrm.module import ILRMModule
from models.ilrm.network import ILRM
from models.ilrm.objective import LossConfig, OptimConfig
from recon.data.scene_batches import SceneBatch

VARIANTS: dict[str, tuple[ILRMConfig, int, int]] = {
    "re10k_2view": (RE10K_2VIEW, 2, 171),
    "re10k_4view_half": (DL3DV_WIDE, 4, 185),
}
"""Name -> (variant, context views, millions of parameters that the paper prints)."""
SIDE = 256


def run() -> dict[str, Any]:
    """Parameters, seconds of a forward pass and of a backward pass, and the largest memory of the process so far."""
    return {name: measure(*variant) for name, variant in VARIANTS.items()}


def measure(config: ILRMConfig, views: int, printed_millions: float) -> dict[str, Any]:
    """One step on random pictures: predict, render one target, compare, gradients of every weight."""
    torch.manual_seed(0)
    loss = LossConfig(perceptual=0.0, gradient=0.0, dssim=0.0)
    module = ILRMModule(ILRM(config), OptimConfig(ema_decay=0.0), loss, max_steps=1)
    batch = random_batch(views, SIDE)
    start = time.perf_counter()
    prediction = module.predict(module.network, batch)
    rendered = module.render(prediction, batch, module.backgrounds(batch))
    total = torch.stack(list(module.loss_terms(prediction, rendered, batch).values())).sum()
    forward = time.perf_counter()
    total.backward()
    backward = time.perf_counter()
    gradients = [p.grad for p in module.network.parameters()]
    parameters = sum(p.numel() for p in module.network.parameters())
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "parameters": parameters,
        "above_the_printed_percent": round(100 * (parameters / (1e6 * printed_millions) - 1), 2),
        "loss": float(total.detach()),
        "weights_without_finite_gradient": sum(g is None or not bool(g.isfinite().all()) for g in gradients),
        "forward_seconds": round(forward - start, 1),
        "backward_seconds": round(backward - forward, 1),
        "peak_memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30, 1),
    }


def random_batch(views: int, side: int) -> SceneBatch:
    """Noise seen by cameras side by side; the target stands between them."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(1, views + 1, 3, side, side, generator=generator)
    poses = torch.eye(4).repeat(1, views + 1, 1, 1)
    poses[0, :, 0, 3] = torch.linspace(-0.5, 0.5, views + 1)
    K = torch.tensor([[side, 0, side / 2], [0, side, side / 2], [0, 0, 1.0]]).repeat(1, views + 1, 1, 1)
    order = [i for i in range(views + 1) if i != views // 2]
    middle = [views // 2]
    return SceneBatch(
        (0,), ("noise",), (), images[:, order], poses[:, order], K[:, order], None,
        images[:, middle], poses[:, middle], K[:, middle],
    )  # fmt: skip
