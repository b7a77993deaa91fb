"""Training a structured matrix beside a dense one that fades out (Wei et al. 2024)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.layers.contracts import StructuredLinear


class SelfGuided(StructuredLinear):
    """alpha dense + (1 - alpha) structured, alpha falling from 1 to 0 along a cosine over the first half of training.

    The dense matrix starts as what the structured one multiplies by, so that training starts where it would without.
    Until it is gone, a step costs more than one of a dense layer.

    Args:
        structured: A linear map without bias.
        until: Share of training at which the dense matrix is gone.
        bias: Whether a bias is added.
    """

    alpha: Tensor | None
    guide: nn.Parameter | None

    def __init__(self, structured: StructuredLinear, *, until: float = 0.5, bias: bool = False):
        super().__init__(structured.in_features, structured.out_features, bias=bias)
        self.structured = structured
        self.until = until
        self.guide = nn.Parameter(structured.materialise().detach().clone())
        self.register_buffer("alpha", torch.ones(()))
        self._fading = True

    @property
    def fading(self) -> bool:
        """Whether the dense matrix still counts.

        In training the schedule says so; else alpha itself, which averages of networks and files carry.
        """
        if self.guide is None or self.alpha is None:
            return False
        return self._fading if self.training or self.alpha.is_meta else float(self.alpha) > 0

    def schedule(self, progress: float) -> None:
        """Set alpha for a share of training, 0 to 1."""
        if self.alpha is not None:
            self.alpha.fill_(0.5 * (1 + math.cos(math.pi * min(max(progress / self.until, 0.0), 1.0))))
            self._fading = progress < self.until

    def finalise(self) -> None:
        """Drop the dense matrix; what it still carries goes into the structured one as far as it can."""
        if self.guide is None:
            return
        target, own = self.materialise().detach(), self.structured.materialise().detach()
        if not torch.allclose(target, own, rtol=0, atol=1e-6 * float(own.abs().max())):
            self.structured.approximate(target)
        self.guide = self.alpha = None

    def multiply(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The image of x before the bias."""
        y = self.structured.multiply(x)
        if self.guide is None or self.alpha is None or not self.fading:
            return y
        return torch.lerp(y, nn.functional.linear(x, self.guide), self.alpha.to(y.dtype))

    def materialise(self) -> Float[Tensor, "out_features in_features"]:
        """The mixture."""
        matrix = self.structured.materialise()
        return matrix if self.guide is None or self.alpha is None else torch.lerp(matrix, self.guide, self.alpha)

    def macs(self) -> int:
        """Those of the structured matrix, and of the dense one while it is there."""
        return self.structured.macs() + (self.guide.numel() if self.guide is not None and self.fading else 0)

    def approximate(self, weight: Float[Tensor, "out_features in_features"]) -> None:
        """Bring the structured matrix near a dense one; the guide becomes that dense one, if it is still there."""
        self.structured.approximate(weight)
        if self.guide is not None:
            self.guide.data.copy_(weight)

    def cores(self) -> list[tuple[nn.Parameter, int]]:
        """Those of the structured matrix."""
        return self.structured.cores()

    def param_groups(self, base_lr: float) -> list[dict]:
        """As every linear map, the dense matrix at the base rate."""
        guide = [] if self.guide is None else [{"params": [self.guide], "lr": base_lr}]
        bias = [] if self.bias is None else [{"params": [self.bias], "lr": base_lr, "weight_decay": 0.0}]
        return self.structured.param_groups(base_lr) + guide + bias


def schedule_guides(network: nn.Module, progress: float) -> None:
    """Tell every self-guided matrix of a network how far training is, 0 to 1."""
    for part in network.modules():
        if isinstance(part, SelfGuided):
            part.schedule(progress)


def guides_count(network: nn.Module) -> bool:
    """Whether outputs of a network would change if its guides were dropped now."""
    return any(isinstance(part, SelfGuided) and part.fading for part in network.modules())


def finalise_guides(network: nn.Module) -> None:
    """Put the structured matrix in the place of every self-guided one inside a network: what is left is plain."""
    for parent in list(network.modules()):
        for name, part in parent.named_children():
            if isinstance(part, SelfGuided):
                part.finalise()
                part.structured.bias = part.bias
                setattr(parent, name, part.structured)
