"""What training of an iLRM minimises, and with which optimiser and schedule."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from models.layers.param_groups import param_groups


@dataclass(frozen=True)
class OptimConfig:
    """An optimiser with a warm-up, and what follows it.

    Attributes:
        kind: "adamw"; "muon" (Jordan et al. 2024) for all matrices and kernels, its updates scaled so that rates of
            AdamW fit (Liu et al. 2025), and AdamW for the rest; "lamb" (You et al. 2020) for very large batches.
        lr: Learning rate after the warm-up.
        warmup_steps: Linear rise at the start.
        schedule: "constant" stays, and falls linearly to zero over the last `decay_steps`; "cosine" falls to zero from
            the end of the warm-up to the end of the run.
        decay_steps: Of "constant"; 0 for a run that another one will go on from.
        weight_decay: On matrices and kernels only.
        betas: Decay of the moments.
        ema_decay: Decay of the moving average of the weights, which is what is evaluated and exported; 0 for none.
    """

    kind: Literal["adamw", "muon", "lamb"] = "adamw"
    lr: float = 1e-3
    warmup_steps: int = 200
    schedule: Literal["constant", "cosine"] = "constant"
    decay_steps: int = 0
    weight_decay: float = 0.02
    betas: tuple[float, float] = (0.9, 0.98)
    ema_decay: float = 0.998


@dataclass(frozen=True)
class LossConfig:
    """Weights of the loss terms beside the mean squared error of rendered targets; 0 switches a term off.

    Attributes:
        perceptual: VGG-19 features (`recon.losses.vgg`); needs `perceptual_weights`, without which it is left out and
            said so.
        perceptual_weights: File of the VGG-19 backbone, or None.
        dssim: (1 - SSIM) / 2, which needs no weights.
        laplacian: L1 of frequency bands, which needs no weights.
        gradient: L1 of image gradients.
        depth: L1 of log depth, where the data set knows the depth and the network tells it.
        planes: Cross entropy of the coarse depth distribution of iLRM-nano, where the depth is known.
        stages: Robust error of log depth and cross entropy of the local stages of iLRM-nano, where the depth is known.
        blocks: What update layers ask for themselves, such as even use of their parts; meant for losses of about 1.
    """

    perceptual: float = 0.0
    perceptual_weights: str | None = None
    dssim: float = 0.03
    laplacian: float = 0.0
    gradient: float = 0.05
    depth: float = 0.02
    planes: float = 0.004
    stages: float = 0.05
    blocks: float = 1.0


def make_optimizer(network: nn.Module, optim: OptimConfig, max_steps: int) -> dict[str, Any]:
    """The optimiser with its schedule, in the form that Lightning takes."""
    optimizer = _make_plain_optimizer(network, optim)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(optim, max_steps))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def _make_plain_optimizer(network: nn.Module, optim: OptimConfig) -> torch.optim.Optimizer:
    groups = param_groups(network, optim.lr, optim.weight_decay)
    if optim.kind == "adamw":
        return torch.optim.AdamW(groups, lr=optim.lr, betas=optim.betas)
    from pytorch_optimizer import Lamb, Muon

    if optim.kind == "lamb":
        return Lamb(groups, lr=optim.lr, betas=optim.betas)
    return Muon([part for group in groups for part in _for_muon(group, optim.betas)])


def _for_muon(group: dict[str, Any], betas: tuple[float, float]) -> list[dict[str, Any]]:
    """Matrices and kernels of convolutions apart from all else, which Muon leaves to AdamW."""
    held = group["params"]
    matrices = [p for p in held if p.ndim in (2, 4)]
    rest = [p for p in held if p.ndim not in (2, 4)]
    return [
        group | {"params": matrices, "use_muon": True, "use_adjusted_lr": True},
        group | {"params": rest, "use_muon": False, "betas": betas},
    ]


def rate_factor(optim: OptimConfig, max_steps: int) -> Callable[[int], float]:
    """Factor on the learning rate at a step."""
    rest = max(max_steps - optim.warmup_steps, 1)

    def factor(step: int) -> float:
        rise = min(1.0, (step + 1) / max(optim.warmup_steps, 1))
        if optim.schedule == "cosine":
            return rise * (1 + math.cos(math.pi * min(max(step - optim.warmup_steps, 0) / rest, 1))) / 2
        return rise * min(1.0, (max_steps - step) / optim.decay_steps) if optim.decay_steps else rise

    return factor
