"""What every feed-forward layer must show. A new one needs a line in `FEED_FORWARDS` and one in `OF_ONE_TOKEN`."""

import pytest
import torch
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from models.layers.config import FeedForwardConfig, LinearConfig
from models.layers.contracts import FeedForward
from models.layers.feedforwards import FEED_FORWARDS, make_feed_forward
from recon.errors import InputError
from tests.models.layers.feedforwards.brute_force import OF_ONE_TOKEN, brute_force

DIM = 8
KINDS = sorted(FEED_FORWARDS)
STRAIGHT_THROUGH = ("mask_logits",)
"""Parameters whose gradient is not the derivative."""


def built(kind: str, seed: int = 0, dim: int = DIM) -> FeedForward:
    """A layer of random numbers in float64; norm and gains are moved away from where they start."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layer = make_feed_forward(FeedForwardConfig(kind, ratio=2.0), dim).double()
        with torch.no_grad():
            for parameter in layer.parameters():
                if parameter.ndim == 1:
                    parameter.mul_(1 + 0.1 * torch.randn_like(parameter))
    return layer


@pytest.fixture
def tokens(generator) -> torch.Tensor:
    return torch.randn(2, 9, DIM, dtype=torch.float64, generator=generator)


@pytest.fixture
def group_ids(generator) -> torch.Tensor:
    """Four groups, of which one has no token."""
    return torch.tensor([3, 0, 0, 1, 3, 1, 0, 1, 3])


def test_every_layer_has_a_plain_definition_to_be_compared_with():
    assert set(OF_ONE_TOKEN) == set(FEED_FORWARDS)


@pytest.mark.parametrize("form", ["train", "eval", "finalised"])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_its_definition(kind, form, tokens, group_ids):
    layer = built(kind).train(form == "train")
    if form == "finalised":
        layer.finalise()
    expected = brute_force(kind, layer, tokens, group_ids)
    torch.testing.assert_close(layer(tokens, group_ids=group_ids), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("form", ["train", "eval"])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_derivatives(kind, form, group_ids, generator):
    layer = built(kind).train(form == "train")
    named = {name: p for name, p in layer.named_parameters() if name not in STRAIGHT_THROUGH}
    x = torch.randn(1, 9, DIM, dtype=torch.float64, generator=generator, requires_grad=True)

    def update(x, *values):
        return torch.func.functional_call(layer, dict(zip(named, values, strict=True)), (x,), {"group_ids": group_ids})

    assert torch.autograd.gradcheck(update, (x, *named.values()), fast_mode=True)


@pytest.mark.parametrize("form", ["train", "eval"])
@pytest.mark.parametrize("kind", KINDS)
def test_counted_multiply_adds_are_those_stated(kind, form, tokens, group_ids):
    layer = built(kind).train(form == "train")
    with FlopCounterMode(display=False) as counter:
        layer(tokens, group_ids=group_ids)
    assert counter.get_total_flops() == 2 * layer.macs(18, form)


@pytest.mark.parametrize("finalised", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_state_dict_round_trip(kind, finalised, tokens, group_ids):
    first, second = built(kind, seed=0).eval(), built(kind, seed=1).eval()
    if finalised:
        first.finalise()
        second.finalise()
    before = second(tokens, group_ids=group_ids)
    second.load_state_dict(first.state_dict())
    after = first(tokens, group_ids=group_ids)
    assert not torch.allclose(before, after)
    assert torch.equal(second(tokens, group_ids=group_ids), after)


@pytest.mark.parametrize("kind", KINDS)
def test_finalising_changes_nothing_that_is_computed(kind, tokens, group_ids):
    layer = built(kind).eval()
    before = layer(tokens, group_ids=group_ids)
    layer.finalise()
    torch.testing.assert_close(layer(tokens, group_ids=group_ids), before, rtol=1e-10, atol=1e-12)
    layer.finalise()
    torch.testing.assert_close(layer(tokens, group_ids=group_ids), before, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("form", ["train", "eval"])
@pytest.mark.parametrize("kind", KINDS)
def test_tokens_do_not_know_each_other(kind, form, tokens, group_ids, generator):
    layer = built(kind).train(form == "train")
    together = layer(tokens, group_ids=group_ids)
    order = torch.randperm(9, generator=generator)
    shuffled = layer(tokens[:, order], group_ids=group_ids[order])
    torch.testing.assert_close(shuffled, together[:, order], rtol=1e-10, atol=1e-12)
    alone = layer(tokens[1:, 4:5], group_ids=group_ids[4:5])
    torch.testing.assert_close(alone, together[1:, 4:5], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("form", ["train", "eval"])
@pytest.mark.parametrize("kind", KINDS)
def test_takes_input_that_is_not_contiguous_or_has_no_tokens(kind, form, tokens, group_ids):
    layer = built(kind).train(form == "train")
    strided = tokens.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    assert not strided.is_contiguous()
    torch.testing.assert_close(layer(strided, group_ids=group_ids), layer(tokens, group_ids=group_ids))
    if form == "eval":
        assert layer(tokens[:, :0], group_ids=group_ids[:0]).shape == (2, 0, DIM)


@pytest.mark.parametrize("how", ["cast", "autocast"])
@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_stays_near(kind, how, generator):
    """Of 90 % of tokens the update is off by at most 4 % of its usual length; the rest may be routed elsewhere."""
    layer = built(kind, dim=32).float().eval()
    tokens = torch.randn(1, 400, 32, generator=generator)
    ids = torch.arange(400) % 4
    exact = layer(tokens, group_ids=ids)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=how == "autocast"):
        if how == "cast":
            layer, tokens = layer.bfloat16(), tokens.bfloat16()
        rounded = layer(tokens, group_ids=ids).float()
    off = (rounded - exact).norm(dim=-1) / exact.norm(dim=-1).mean()
    assert off.quantile(0.9) < 0.04
    assert off.max() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_recomputing_the_forward_pass_gives_the_same_gradients(kind, tokens, group_ids):
    layer = built(kind).train()

    def gradients(run) -> list[torch.Tensor]:
        x = tokens.clone().requires_grad_()
        loss = run(x).square().sum() + sum(layer.aux_losses().values())
        return list(torch.autograd.grad(loss, [x, *layer.parameters()], allow_unused=True))

    plain = gradients(lambda x: layer(x, group_ids=group_ids))
    again = gradients(lambda x: checkpoint(layer, x, group_ids=group_ids, use_reentrant=False))
    torch.testing.assert_close(again, plain)


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_is_taught_by_the_update_or_by_a_loss_term(kind, tokens, group_ids):
    layer = built(kind).train()
    group_ids = torch.where(group_ids == 3, torch.arange(9) % 4, group_ids)
    loss = layer(tokens, group_ids=group_ids).square().sum() + sum(layer.aux_losses().values())
    loss.backward()
    assert [name for name, p in layer.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "nested"])
def test_only_nested_layers_have_widths(kind, tokens, group_ids):
    with pytest.raises(InputError, match=r"0\.5 of the hidden width"):
        built(kind)(tokens, group_ids=group_ids, width=0.5)


@pytest.mark.parametrize("kind", ["nested", "fast", "grouped", "routed", "masked_glu", "peer", "cdmoe"])
def test_layers_that_cut_their_matrices_refuse_structured_ones(kind):
    with pytest.raises(InputError, match="plain matrices"):
        make_feed_forward(FeedForwardConfig(kind, linear=LinearConfig("lowrank")), DIM)
