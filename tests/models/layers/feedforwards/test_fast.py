import math

import pytest
import torch

from models.layers.feedforwards.fast import FastFeedForward
from models.layers.feedforwards.tree import decision_entropy, leaf_weights
from tests.models.layers.feedforwards.brute_force import of_fast


def built(**options) -> FastFeedForward:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FastFeedForward(8, 2.0, **options).double()


@pytest.fixture
def tokens(generator) -> torch.Tensor:
    return torch.randn(2, 30, 8, dtype=torch.float64, generator=generator)


def test_leaf_weights_are_probabilities(generator):
    weights = leaf_weights(torch.rand(50, 7, dtype=torch.float64, generator=generator), 3)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(50, dtype=torch.float64))


def test_sure_decisions_make_training_and_use_agree(tokens):
    layer = built(depth=3)
    with torch.no_grad():
        layer.node_weight.mul_(1e6)
    torch.testing.assert_close(layer(tokens), layer.eval()(tokens))


def test_a_tree_without_decisions_is_one_layer(tokens):
    layer = built(depth=0, master_width=0)
    torch.testing.assert_close(layer(tokens), layer.eval()(tokens))
    assert layer.macs(5, "eval") == 5 * 2 * 8 * 16


def test_leaves_that_no_token_reaches_are_left_out(tokens):
    layer = built(depth=2).eval()
    with torch.no_grad():
        layer.node_bias[0] = -1e6
    assert layer.leaves_of(layer.norm(tokens)).max() <= 1
    expected = torch.stack([torch.stack([of_fast(layer, x, 0) for x in row]) for row in layer.norm(tokens)])
    torch.testing.assert_close(layer(tokens), expected, rtol=1e-10, atol=1e-12)


def test_at_last_training_computes_what_is_used_with_the_gradient_of_soft_decisions(tokens):
    layer = built(depth=2)
    layer.schedule(0.9)
    hard = layer(tokens)
    torch.testing.assert_close(hard, layer.eval()(tokens))
    layer.train()
    (gradient,) = torch.autograd.grad(layer(tokens).square().sum(), layer.node_weight)
    assert gradient.any()


@pytest.mark.parametrize(
    ("progress", "terms"),
    [
        (0.0, {"balance"}),
        (0.3, {"balance"}),
        (0.5, {"balance", "hardening"}),
        (0.7, {"hardening"}),
        (1.0, {"hardening"}),
    ],
)
def test_phases_of_training(progress, terms, tokens):
    layer = built(depth=2)
    layer.schedule(progress)
    layer(tokens)
    assert set(layer.aux_losses()) == terms


def test_undecided_nodes_cost_the_entropy_of_a_coin_and_even_use_costs_one(tokens):
    layer = built(depth=2, hardening=3.0, balance=1.0)
    with torch.no_grad():
        layer.node_weight.zero_()
        layer.node_bias.zero_()
    layer(tokens)
    torch.testing.assert_close(layer.aux_losses()["balance"].item(), 1.0)
    layer.schedule(2 / 3)
    layer(tokens)
    torch.testing.assert_close(layer.aux_losses()["hardening"].item(), 3 * math.log(2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_sure_decisions_have_no_entropy_and_no_slope(dtype):
    logits = torch.tensor([[-300.0], [-20.0], [20.0], [300.0]], dtype=dtype, requires_grad=True)
    entropy = decision_entropy(logits)
    (slope,) = torch.autograd.grad(entropy.sum(), logits)
    assert entropy.item() == pytest.approx(0.0, abs=1e-6)
    torch.testing.assert_close(slope.float(), torch.zeros(4, 1), rtol=0, atol=1e-6)


def test_entropy_is_that_of_the_definition(generator):
    logits = torch.randn(50, 3, dtype=torch.float64, generator=generator).requires_grad_()
    p = logits.sigmoid()
    expected = -(p * p.log() + (1 - p) * (1 - p).log()).mean(dim=0)
    torch.testing.assert_close(decision_entropy(logits), expected, rtol=1e-12, atol=0)
    slopes = [torch.autograd.grad(e.sum(), logits, retain_graph=True)[0] for e in (decision_entropy(logits), expected)]
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-10, atol=1e-14)


def test_sure_decisions_can_be_trained_in_half_precision(tokens):
    layer = built(depth=2).float()
    with torch.no_grad():
        layer.node_weight.mul_(1e4)
    layer.schedule(0.5)
    with torch.autocast("cpu", torch.bfloat16):
        loss = layer(tokens.float()).square().mean() + layer.aux_losses()["hardening"]
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())


def test_sending_all_tokens_to_one_leaf_costs_the_number_of_leaves(tokens):
    layer = built(depth=2)
    with torch.no_grad():
        layer.node_bias.fill_(1e6)
    layer(tokens)
    torch.testing.assert_close(layer.aux_losses()["balance"].item(), 4.0)


def test_following_the_balance_loss_evens_out_the_leaves(generator):
    layer = built(depth=2)
    tokens = torch.randn(1, 400, 8, dtype=torch.float64, generator=generator)
    with torch.no_grad():
        layer.node_bias.fill_(1.0)
    optimiser = torch.optim.Adam([layer.node_weight, layer.node_bias], lr=0.05)
    for _ in range(40):
        layer(tokens)
        optimiser.zero_grad()
        layer.aux_losses()["balance"].backward()
        optimiser.step()
    share = torch.bincount(layer.leaves_of(layer.norm(tokens)), minlength=4) / 400
    assert share.max() < 0.4


def test_leak_turns_decisions_round_while_training_only(tokens):
    layer, leaking = built(depth=2), built(depth=2, leak=1.0)
    with torch.no_grad():
        for each in (layer, leaking):
            each.node_weight.mul_(1e6)
        leaking.node_weight.neg_()
        leaking.node_bias.neg_()
    torch.testing.assert_close(leaking(tokens), layer(tokens))
    leaking.eval()
    layer.eval()
    assert not torch.allclose(leaking(tokens), layer(tokens))


def test_a_leak_is_drawn_anew_as_training_goes_on_but_not_within_a_step(tokens):
    layer = built(depth=2, leak=0.3)
    first = layer(tokens)
    assert torch.equal(layer(tokens), first)
    layer.schedule(0.01)
    assert not torch.equal(layer(tokens), first)


def test_finalising_makes_the_master_part_of_every_leaf(tokens):
    layer = built(depth=2, master_width=3).eval()
    before, width = layer(tokens), layer.leaf_width
    layer.finalise()
    assert layer.up.shape == (4 * (width + 3), 8)
    assert {name for name, _ in layer.named_parameters()} == {
        "norm.weight", "node_weight", "node_bias", "up", "up_bias", "down", "down_bias"
    }  # fmt: skip
    torch.testing.assert_close(layer.train()(tokens), before)
    assert layer.macs(1, "train") == layer.macs(1, "eval")


def test_the_master_is_a_48th_in_steps_of_eight():
    widths = {dim: FastFeedForward(dim, 4.0).master_width for dim in (8, 256, 768)}
    assert widths == {8: 8, 256: 24, 768: 64}


def test_copies_in_low_precision_are_what_autocast_makes_and_follow_the_weights(generator):
    layer, twin = (FastFeedForward(32, 2.0, 2).eval() for _ in range(2))
    twin.load_state_dict(layer.state_dict())
    tokens = torch.randn(1, 50, 32, generator=generator)
    layer.finalise()
    twin.finalise()
    twin._converted.to = lambda dtype, *weights: list(weights)  # leaves it to autocast
    for change in (0.0, 0.3):
        for each in (layer, twin):
            with torch.no_grad():
                each.up.add_(change)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            out, expected = layer(tokens), twin(tokens)
        assert out.dtype == torch.bfloat16
        assert torch.equal(out, expected)
    assert layer(tokens).dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        layer(tokens).float().sum().backward()
    assert layer.up.grad is not None
