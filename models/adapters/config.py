"""Kinds of adapters and their sizes."""

import math
from dataclasses import dataclass
from typing import Literal

from recon.errors import InputError

AdapterKind = Literal["none", "lora", "asymmetric_lora", "c3a", "fourierft", "svft"]
Targets = Literal["attention", "feed_forward", "blocks", "all"]


@dataclass(frozen=True)
class AdapterConfig:
    """What is added to the matrices W of a network; every kind starts at zero.

    Attributes:
        kind: "none" adds nothing; "lora" (alpha / rank) B A (Hu et al. 2021); "asymmetric_lora": A stays as drawn, only
            B is trained (Zhu et al. 2024); "c3a": blocks that are circulant (Chen et al. 2024); "fourierft": few
            frequencies of the two-dimensional spectrum (Gao et al. 2024); "svft": U M V^T with the singular vectors of
            W and a banded M (Lingam et al. 2024).
        targets: Which plain linear maps: those in attention, in feed-forward layers, in both, or in the whole network.
        rank: Of the LoRA kinds.
        alpha: Of the LoRA kinds.
        block: Side of the blocks of c3a, which divides inputs and outputs of every target.
        frequencies: Of fourierft, in each matrix.
        scale: Of fourierft, for all of its numbers.
        band: Diagonals of M on either side of the main one, of svft.
        seed: Of what is drawn and not trained.

    Raises:
        InputError: A size that makes no sense.
    """

    kind: AdapterKind = "lora"
    targets: Targets = "blocks"
    rank: int = 8
    alpha: float = 16.0
    block: int = 32
    frequencies: int = 1000
    scale: float = 150.0
    band: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Look at sizes that no network can have."""
        for name, least in (("rank", 1), ("block", 1), ("frequencies", 1), ("band", 0), ("seed", 0)):
            if not least <= getattr(self, name) < 2**31:
                raise InputError(f"adapter.{name} is out of range, expected {least} to {2**31 - 1}")
        for name in ("alpha", "scale"):
            if not (math.isfinite(value := getattr(self, name)) and value > 0):
                raise InputError(f"adapter.{name} is {value}, expected a finite number above 0")

    def num_parameters(self, rows: int, columns: int) -> int:
        """Trained numbers for a matrix of that shape."""
        short = min(rows, columns)
        return {
            "none": 0,
            "lora": self.rank * (rows + columns),
            "asymmetric_lora": self.rank * rows,
            "c3a": rows * columns // self.block,
            "fourierft": self.frequencies,
            "svft": (2 * self.band + 1) * short - self.band * (self.band + 1),
        }[self.kind]

    def fault_in(self, rows: int, columns: int) -> str | None:
        """Why a matrix of that shape cannot have such an adapter, in words, or None."""
        short = min(rows, columns)
        if self.kind in ("lora", "asymmetric_lora") and self.rank > short:
            return f"rank is {self.rank}, expected at most {short}"
        if self.kind == "c3a" and math.gcd(rows, columns) % self.block:
            return f"block is {self.block}, expected a divisor of {math.gcd(rows, columns)}"
        if self.kind == "fourierft" and self.frequencies > rows * columns:
            return f"frequencies is {self.frequencies}, expected at most {rows * columns}"
        if self.kind == "svft" and self.band >= short:
            return f"band is {self.band}, expected less than {short}"
        return None
