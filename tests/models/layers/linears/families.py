"""Small instances of every linear map, for tests that hold for all of them."""

from dataclasses import replace

import torch
from torch import nn

from models.layers.config import LinearConfig
from models.layers.linears import LINEARS, make_linear

CONFIGS = {kind: LinearConfig(kind=kind) for kind in LINEARS} | {
    "btt_rank_2": LinearConfig(kind="btt", rank=2.0),
    "btt_normalised": LinearConfig(kind="btt", normalise=True),
    "block_shuffle_2": LinearConfig(kind="block_shuffle", blocks=2),
}
GUIDED = {f"guided_{kind}": LinearConfig(kind=kind, self_guided=True) for kind in LINEARS if kind != "dense"}
ALL = CONFIGS | GUIDED
STRUCTURED = {name: config for name, config in CONFIGS.items() if config.kind != "dense"}
SIZES = [(16, 64), (64, 16), (48, 48), (24, 36)]


def small(name: str, n: int = 16, m: int = 64, *, bias: bool = True, seed: int = 0) -> nn.Module:
    """A float64 instance with random numbers everywhere, the bias and gains too; guides half faded."""
    torch.manual_seed(seed)
    layer = make_linear(replace(ALL[name]), n, m, bias=bias).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    if name in GUIDED:
        layer.schedule(0.2)
    return layer
