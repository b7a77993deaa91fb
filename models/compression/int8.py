"""Linear layers with 8-bit weights, and inputs rounded to 8 bits as they come."""

import copy
import functools
import warnings
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.compression.linears import PARTS, Part, block_linears
from recon.errors import ResourceError


class Int8Linear(nn.Module):
    """A linear layer on a CPU: symmetric 8-bit weights for each output, inputs with one scale and zero for each call.

    It is made from float weights when a network is loaded, holds no parameters and no state, and has no gradient.
    Inputs may be float32 or bfloat16; outputs are like them.

    Args:
        weight: Weights.
        bias: Bias or None.

    Raises:
        ResourceError: This build of torch has no 8-bit kernels.
    """

    def __init__(self, weight: Float[Tensor, "out_features in_features"], bias: Float[Tensor, " out_features"] | None):
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self._packed = _pack(weight.detach().float(), None if bias is None else bias.detach().float())
        self._narrow = _kernel_saturates()

    def forward(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The image of x."""
        rows = x.reshape(-1, self.in_features).float()
        if len(rows) == 0:
            return x.new_zeros(*x.shape[:-1], self.out_features)
        y = torch.ops.quantized.linear_dynamic(rows, self._packed, self._narrow)
        return y.view(*x.shape[:-1], self.out_features).to(x.dtype)

    def materialise(self) -> Float[Tensor, "out_features in_features"]:
        """The matrix that the rounded weights stand for."""
        return torch.ops.quantized.linear_unpack(self._packed)[0].dequantize()

    def macs(self) -> int:
        """One per entry."""
        return self.in_features * self.out_features


def quantize_dynamic_int8(network: nn.Module, *, parts: Sequence[Part] = tuple(PARTS)) -> nn.Module:
    """A copy of a network for inference on a CPU whose plain matrices in transformer blocks have 8-bit weights.

    Tokenisers, heads and structured matrices stay as they are; so does the network that is given.

    Args:
        network: In float32.
        parts: Parts of the blocks.

    Raises:
        InputError: There are no plain matrices in those parts.
        ResourceError: This build of torch has no 8-bit kernels, or the network is not on a CPU.
    """
    linears = {name: linear for part in block_linears(network, parts).values() for name, linear in part.items()}
    away = next((linear.weight.device for linear in linears.values() if linear.weight.device.type != "cpu"), None)
    if away is not None:
        raise ResourceError(f"8-bit layers run on a CPU; the network is on {away}", hint="move it to the CPU first")
    replaced = {id(linear): Int8Linear(linear.weight, linear.bias) for linear in linears.values()}
    return copy.deepcopy(network, dict(replaced)).eval()


def _pack(weight: Tensor, bias: Tensor | None) -> torch.ScriptObject:
    """Weights and bias as the kernel wants them."""
    if _engine() == "none":
        raise ResourceError("this build of torch has no 8-bit kernels", hint="use the float network or bfloat16")
    scales = weight.abs().amax(1).clamp(min=torch.finfo(torch.float32).tiny).double() / 127
    zeros = torch.zeros(len(weight), dtype=torch.long)
    with warnings.catch_warnings():  # torch 2.13 warns that 8-bit tensors will leave some day, and has nothing else
        warnings.filterwarnings("ignore", message=".*quantized tensor creation functions", category=UserWarning)
        rounded = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
        return torch.ops.quantized.linear_prepack(rounded, bias)


def _engine() -> str:
    """Library that runs 8-bit kernels; "none" if torch was built without."""
    return str(torch.backends.quantized.engine)


@functools.cache
def _kernel_saturates() -> bool:
    """Whether sums of two products overflow 16 bits, as on CPUs without VNNI; inputs then get 7 bits."""
    packed = _pack(torch.ones(16, 64), None)
    probe = torch.ones(1, 64)
    probe[0, 0] = 0.0
    y = torch.ops.quantized.linear_dynamic(probe, packed, False)
    return bool((y - 63).abs().max() > 1)
