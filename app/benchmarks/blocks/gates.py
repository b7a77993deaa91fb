"""What must hold before a layer is timed. The tests hold every layer against loops; this is a quick look."""

import copy

import torch
from torch import Tensor

from app.benchmarks.blocks.layers import Scale, Subject, build, keywords, to_use, tokens
from models.layers.contracts import Attention, FeedForward, Linear

TOLERANCE = 1e-10


def check(subject: Subject, scale: Scale) -> dict[str, bool]:
    """Name of a gate -> whether it is passed, in float64 at small size."""
    layer = build(subject, scale, form="train").double()
    told, x = keywords(subject, scale.layout), tokens(scale, batch=2).double()
    before = copy.deepcopy(layer).eval()
    _at_the_end(before)
    used = to_use(copy.deepcopy(layer))
    with torch.no_grad():
        out = used(x, **told)
        strided = x.transpose(1, 2).contiguous().transpose(1, 2)
        gates = {
            "finite": bool(out.isfinite().all()),
            "multiplies by its matrix": all(_multiplies_by_its_matrix(part) for part in used.modules()),
            "finalised equals trained": _near(before(x, **told), out),
            "scenes are independent": _near(torch.cat([used(scene[None], **told) for scene in x]), out),
            "strides do not matter": _near(used(strided, **told), out),
            "state comes back": _state_comes_back(subject, scale, used, x),
        }
    return gates | {"gradients": _gradients_agree(layer, x[:1], told)}


def _near(found: Tensor, expected: Tensor) -> bool:
    return bool((found - expected).abs().max() <= TOLERANCE)


def _at_the_end(layer: torch.nn.Module) -> None:
    """Tell a layer that training is over, without changing its form."""
    for part in layer.modules():
        if isinstance(part, FeedForward):
            part.schedule(1.0)


def _multiplies_by_its_matrix(part: torch.nn.Module) -> bool:
    if not isinstance(part, Linear) or isinstance(part, FeedForward | Attention):
        return True
    x = torch.randn(3, part.in_features, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    bias = 0 if part.bias is None else part.bias
    return _near(part(x), x @ part.materialise().T + bias)


def _state_comes_back(subject: Subject, scale: Scale, used: torch.nn.Module, x: Tensor) -> bool:
    other = build(subject, scale, form="eval").double()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    other.load_state_dict(used.state_dict())
    told = keywords(subject, scale.layout)
    return bool(torch.equal(other(x, **told), used(x, **told)))


@torch.no_grad()
def bfloat16_drift(subject: Subject, scale: Scale) -> float:
    """How far bfloat16 leads from float32, relative to the norm of the output; routed layers may choose otherwise."""
    layer = build(subject, scale, form="eval")
    told, x = keywords(subject, scale.layout), tokens(scale)
    exact = layer(x, **told)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = layer(x, **told)
    return float((rounded.float() - exact).norm() / exact.norm())


def _gradients_agree(layer: torch.nn.Module, x: Tensor, told: dict) -> bool:
    """The derivative along one direction, of the trained form, by autograd and by differences of 1e-6."""
    generator = torch.Generator().manual_seed(3)
    direction = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    weights = torch.randn(x.shape, dtype=x.dtype, generator=generator)
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((layer(leaf, **told) * weights).sum(), leaf)
    step = 1e-6
    with torch.no_grad():
        ahead, back = (float((layer(x + s * direction, **told) * weights).sum()) for s in (step, -step))
    difference, exact = (ahead - back) / (2 * step), float((gradient * direction).sum())
    return abs(difference - exact) <= 1e-5 * max(1.0, abs(exact))
