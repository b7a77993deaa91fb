"""Matrices with 8-bit weights."""

import copy

import pytest
import torch

from models.compression import Int8Linear, block_linears, quantize_dynamic_int8
from models.layers.linears import Dense
from recon.errors import ResourceError
from tests.models.compression.networks import blocks, drift


@pytest.mark.parametrize("bias", [False, True])
def test_outputs_are_within_three_percent(bias, generator):
    layer, x = Dense(64, 48, bias=bias), torch.randn(2, 50, 64, generator=generator)
    exact = layer(x).detach()
    y = Int8Linear(layer.weight, layer.bias)(x)
    assert y.shape == exact.shape
    assert 0 < (y - exact).norm() < 0.03 * exact.norm()


def test_weights_are_rounded_to_127_steps_of_their_row(generator):
    weight = torch.randn(48, 64, generator=generator) * torch.logspace(-3, 3, 48)[:, None]
    stored = Int8Linear(weight, None).materialise()
    step = weight.abs().amax(1, keepdim=True) / 127
    assert ((stored - weight).abs() <= 0.5001 * step).all()
    assert Int8Linear(weight, None).macs() == 48 * 64


@pytest.mark.parametrize("shape", [(16,), (1, 16), (0, 16), (2, 0, 16)])
def test_any_number_of_vectors(shape):
    assert Int8Linear(torch.eye(16), None)(torch.ones(shape)).shape == shape


def test_strides_and_a_zero_input(generator):
    layer = Int8Linear(torch.randn(8, 16, generator=generator), torch.arange(8.0))
    x = torch.randn(16, 5, generator=generator)
    assert torch.equal(layer(x.T), layer(x.T.contiguous()))
    assert torch.equal(layer(torch.zeros(3, 16)), torch.arange(8.0).expand(3, 8))


def test_under_bfloat16_outputs_are_bfloat16(generator):
    layer, x = Int8Linear(torch.randn(8, 16, generator=generator), None), torch.randn(5, 16, generator=generator)
    assert layer(x.bfloat16()).dtype == torch.bfloat16


def test_a_network_drifts_little_and_the_float_one_stays(generator):
    network = blocks()
    before = copy.deepcopy(network.state_dict())
    smaller = quantize_dynamic_int8(network)
    assert all(torch.equal(network.state_dict()[key], value) for key, value in before.items())
    assert not any(isinstance(part, Dense) for part in smaller.modules())
    found = sum(isinstance(part, Int8Linear) for part in smaller.modules())
    assert found == sum(map(len, block_linears(network).values()))
    assert not smaller.training
    assert 0 < drift(smaller, network) < 0.05


def test_attention_alone():
    smaller = quantize_dynamic_int8(blocks(), parts=("attention",))
    assert any(isinstance(part, Dense) for part in smaller.modules())
    assert any(isinstance(part, Int8Linear) for part in smaller.modules())


def test_a_network_elsewhere_is_refused():
    with pytest.raises(ResourceError, match="the network is on meta"):
        quantize_dynamic_int8(blocks().to("meta"))


def test_a_build_without_kernels_says_so(monkeypatch):
    monkeypatch.setattr("models.compression.int8._engine", lambda: "none")
    with pytest.raises(ResourceError, match="no 8-bit kernels"):
        Int8Linear(torch.eye(4), None)
