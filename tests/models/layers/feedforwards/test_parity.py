"""Numbers recorded from published code; float32, so up to 1e-5 of the largest."""

from functools import partial

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import linear, relu, silu

from models.layers.feedforwards.fast import FastFeedForward
from models.layers.feedforwards.nested import NestedGelu, NestedSwiGLU
from models.layers.feedforwards.tree import decision_entropy

close = partial(torch.testing.assert_close, rtol=0)
WIDTH_OF = {"s": 0.125, "m": 0.25, "l": 0.5, "xl": 1.0}


def load(folder) -> tuple[dict, torch.Tensor, dict]:
    weights, inputs, outputs = (load_file(folder / f"{name}.safetensors") for name in ("weights", "inputs", "outputs"))
    return {name: value.float() for name, value in weights.items()}, inputs["x"], outputs


@pytest.fixture
def tree(fixtures):
    """The recorded layer maps 48 to 40 numbers; eight columns of zeros make it square."""
    weights, x, outputs = load(fixtures / "blocks" / "fff")
    layer = FastFeedForward(48, 8 * 12 / 48, depth=3, master_width=0, activation=relu)
    wide = {name: torch.nn.functional.pad(weights[name], (0, 8)) for name in ("w2s", "b2s")}
    state = {
        "norm.weight": torch.ones(48),
        "node_weight": weights["node_weights"],
        "node_bias": weights["node_biases"][:, 0],
        "up": weights["w1s"].transpose(1, 2).reshape(96, 48),
        "up_bias": weights["b1s"].flatten(),
        "down": wide["w2s"].reshape(96, 48),
        "down_bias": wide["b2s"].flatten(),
    }
    layer.load_state_dict(state)
    return layer, x, outputs, weights


def test_soft_mixture_of_a_tree(tree):
    layer, x, outputs, _ = tree
    close(layer.update(x)[..., :40], outputs["soft"], atol=1e-5 * outputs["soft"].abs().max().item())


def test_leaf_that_is_chosen(tree):
    layer, x, outputs, _ = tree
    assert torch.equal(layer.leaves_of(x), outputs["leaf_index"])


def test_hard_routing_of_a_tree(tree):
    """Published evaluation leaves out the second bias of the leaf, published training with hard decisions does not."""
    layer, x, outputs, weights = tree
    update = layer.eval().update(x)[..., :40]
    atol = 1e-5 * outputs["hard_train"].abs().max().item()
    close(update, outputs["hard_train"], atol=atol)
    without_bias = update - weights["b2s"][outputs["leaf_index"]].view(update.shape)
    close(without_bias, outputs["hard_eval"], atol=atol)


def test_entropy_of_decisions(tree):
    layer, x, outputs, _ = tree
    logits = linear(x.flatten(0, 1), layer.node_weight, layer.node_bias)
    close(decision_entropy(logits), outputs["entropies"], atol=1e-5)


@pytest.mark.parametrize("part", [1, 2, 4, 8])
def test_nested_gelu(fixtures, part):
    weights, x, outputs = load(fixtures / "blocks" / "matformer_gelu")
    layer = NestedGelu(32, 2.0, bias=True)
    names = {"ff_proj": "fc1", "ff_out": "fc2"}
    state = {f"{names[name.split('.')[0]]}.{name.split('.')[1]}": value for name, value in weights.items()}
    layer.load_state_dict({"norm.weight": torch.ones(32), **state})
    expected = outputs[f"residual_out_1_{part}"]
    close(x + layer.update(x, width=1 / part), expected, atol=1e-5 * expected.abs().max().item())


@pytest.mark.parametrize("size", WIDTH_OF)
def test_nested_swiglu(fixtures, size):
    weights, x, outputs = load(fixtures / "blocks" / "matformer_glu")
    gate, up, down = (weights[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down"))
    layer = NestedSwiGLU(32, 3.0)
    layer.load_state_dict({"norm.weight": torch.ones(32), "fc1.weight": torch.cat([gate, up]), "fc2.weight": down})
    expected = outputs[f"swiglu_out_{size}"]
    update = layer.update(x, width=WIDTH_OF[size])
    close(update, expected, atol=1e-5 * expected.abs().max().item())


@pytest.mark.parametrize("size", WIDTH_OF)
def test_the_published_nested_gate_is_not_the_usual_one(fixtures, size):
    """It sends gate times value through the activation; the recorded numbers tell the two apart."""
    weights, x, outputs = load(fixtures / "blocks" / "matformer_glu")
    gate, up, down = (weights[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down"))
    units = int(64 * WIDTH_OF[size])
    published = linear(silu(linear(x, gate[:units]) * linear(x, up[:units])), down[:, :units])
    expected = outputs[f"out_{size}"]
    close(published, expected, atol=1e-5 * expected.abs().max().item())
    assert (outputs[f"swiglu_out_{size}"] - expected).abs().max() > 0.1 * expected.abs().max()
