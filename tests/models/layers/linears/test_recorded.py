"""Numbers recorded from the authors' implementations."""

import pytest
import torch
from safetensors.torch import load_file

from models.layers.linears import BTT, Blast, BlockDense, BlockShuffle, LowRank


def _lowrank(w):
    return LowRank(48, 96, 12, bias=True), {"input_core": w["lr1"][None], "up": w["lr2"]}


def _block_shuffle(first, second):
    def build(w):
        return BlockShuffle(48, 96, 4, bias=True), {"input_core": w[first], "second": w[second]}

    return build


def _block_dense(w):
    return BlockDense(48, 96, 4, 24, bias=True), {"input_core": w["blkdiag"], "up": w["lr"]}


def _btt(w):
    return BTT(48, 96, 2, bias=True), {"input_core": w["op_params.0"].mT, "second": w["op_params.1"].mT}


def _btt_normalised(w):
    gains = torch.stack([w["op_params.2"], w["op_params.3"]])
    cores = {"input_core": w["op_params.0"].mT, "second": w["op_params.1"].mT}
    return BTT(36, 64, 1, normalise=True, bias=True), cores | {"gains": gains}


def _blast(w):
    return Blast(48, 96, 4, 10, bias=True), {"left": w["B"], "input_core": w["C"], "diagonal": w["D"]}


RECORDED = {
    "lowrank": _lowrank,
    "blockshuffle": _block_shuffle("blkdiag1", "blkdiag2"),
    "monarch": _block_shuffle("op_params.0", "op_params.1"),
    "blockdense": _block_dense,
    "btt": _btt,
    "btt_normalized": _btt_normalised,
    "blast": _blast,
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_outputs_are_reproduced(name, fixtures):
    folder = fixtures / "blocks" / name
    weights = {k: v.float() for k, v in load_file(folder / "weights.safetensors").items()}
    outputs = load_file(folder / "outputs.safetensors")
    layer, state = RECORDED[name](weights)
    layer.load_state_dict({**state, "bias": weights["bias"]})
    y = layer(load_file(folder / "inputs.safetensors")["x"])
    for found, recorded in ((y, outputs["out"]), (layer.materialise(), outputs["dense_weight"])):
        assert (found - recorded).abs().max() < 1e-5 * recorded.abs().max()
