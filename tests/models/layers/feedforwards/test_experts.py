import pytest
import torch

from models.layers.feedforwards import routing
from models.layers.feedforwards.converting import balanced_clusters, routed_from_dense
from models.layers.feedforwards.gelu import GeluFeedForward
from models.layers.feedforwards.grouped import GroupedFeedForward
from models.layers.feedforwards.masked_glu import MaskedGLU
from models.layers.feedforwards.peer import Peer
from models.layers.feedforwards.routed import RoutedFeedForward
from recon.errors import InputError


@pytest.fixture(autouse=True)
def seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture
def tokens(generator) -> torch.Tensor:
    return torch.randn(2, 12, 8, dtype=torch.float64, generator=generator)


def test_group_ids_may_differ_between_the_sequences_of_a_batch(tokens, generator):
    layer = GroupedFeedForward(8, 2.0, 3).double()
    ids = torch.randint(3, (2, 12), generator=generator)
    together = layer(tokens, group_ids=ids)
    for row in range(2):
        torch.testing.assert_close(layer(tokens[row : row + 1], group_ids=ids[row]), together[row : row + 1])


def test_tokens_are_sorted_once_while_the_layout_stays(tokens, monkeypatch):
    sorts = []
    once = routing.route
    monkeypatch.setattr(routing, "route", lambda ids, groups: sorts.append(1) or once(ids, groups))
    layer = GroupedFeedForward(8, 2.0, 3).double()
    ids = torch.arange(12) % 3
    first = layer(tokens, group_ids=ids)
    layer(tokens, group_ids=ids.clone())
    assert len(sorts) == 1
    ids[:] = 0
    assert not torch.allclose(layer(tokens, group_ids=ids), first)
    assert len(sorts) == 2


def test_tokens_that_lie_group_by_group_are_not_moved():
    assert routing.route(torch.tensor([0, 0, 2, 2, 2]), 3) == routing.Routing(None, None, (2, 0, 3))


@pytest.mark.parametrize(("ids", "found"), [(None, "no group ids"), ([-1, 2], "from -1 to 2"), ([0, 3], "from 0 to 3")])
def test_ids_that_name_no_expert_are_refused(ids, found, tokens):
    layer = GroupedFeedForward(8, 2.0, 3).double()
    with pytest.raises(InputError, match=found):
        layer(tokens[:, :2], group_ids=None if ids is None else torch.tensor(ids))


def test_routed_with_all_experts_is_the_layer_that_it_was_made_from(tokens, generator):
    dense = GeluFeedForward(8).double()
    routed = routed_from_dense(dense, dense.norm(tokens), 4, top=4, generator=generator)
    torch.testing.assert_close(routed(tokens), dense(tokens), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(routed.eval()(tokens), dense(tokens), rtol=1e-10, atol=1e-12)


def test_units_that_fire_together_come_into_one_expert(generator):
    """Tokens of two kinds, and units that answer to one of them each, interleaved."""
    dense = GeluFeedForward(8).double()
    kind = torch.arange(200) % 2
    tokens = 0.1 * torch.randn(1, 200, 8, dtype=torch.float64, generator=generator)
    tokens[0, torch.arange(200), kind] += 4
    with torch.no_grad():
        dense.fc1.weight.mul_(0.01)
        for unit in range(32):
            dense.fc1.weight[unit, unit % 2] += 2
            dense.fc1.weight[unit, 1 - unit % 2] -= 2
    routed = routed_from_dense(dense, dense.norm(tokens), 2, top=1, generator=generator).eval()
    sides = (routed.up[:, 0] > 0).view(2, 16)
    assert sides.all(dim=1).tolist() in ([True, False], [False, True])
    assert (~sides).all(dim=1).sum() == 1
    exact = dense(tokens)
    assert (routed(tokens) / 2 - exact).norm() < 0.1 * exact.norm()


def test_clusters_are_of_equal_size(generator):
    labels = balanced_clusters(torch.randn(60, 5, generator=generator), 4, generator=generator)
    assert torch.bincount(labels).tolist() == [15, 15, 15, 15]


def test_the_prior_loss_teaches_the_router_which_slices_come_nearest(tokens):
    layer = RoutedFeedForward(8, 4.0, 4, top=1, balance=0.0).double()
    normed = layer.norm(tokens).flatten(0, 1)
    parts = torch.stack([layer.slice_update(index, normed) for index in range(4)], dim=1)
    best = (parts - parts.sum(dim=1, keepdim=True) / 4).square().sum(dim=-1).argmin(dim=1)

    def agreement() -> float:
        return ((normed @ layer.router.T).argmax(dim=1) == best).double().mean().item()

    before = agreement()
    optimiser = torch.optim.Adam([layer.router], lr=0.05)
    for _ in range(60):
        layer(tokens)
        optimiser.zero_grad()
        layer.aux_losses()["prior"].backward()
        optimiser.step()
    assert agreement() > max(before, 0.6)


def test_loss_terms_teach_nothing_but_the_router(tokens):
    layer = RoutedFeedForward(8, 4.0, 4).double()
    layer(tokens.requires_grad_())
    sum(layer.aux_losses().values()).backward()
    assert [name for name, p in layer.named_parameters() if p.grad is not None] == ["router"]
    assert tokens.grad is None


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(InputError, match="16 hidden units cannot make 3 equal experts"):
        RoutedFeedForward(8, 2.0, 3)


def test_one_expert_found_by_key():
    """With one head, one expert chosen and queries that are the keys, a token gets the expert of its key."""
    layer = Peer(4, side=3, heads=1, top=1).double()
    with torch.no_grad():
        layer.query.weight.copy_(torch.eye(4))
        layer.keys.copy_(torch.tensor([[1, 0], [0, 1], [-1, -1], [1, 0], [0, 1], [-1, -1]], dtype=torch.float64))
    query = torch.tensor([[[0.0, 2.0], [-1.0, -1.0]]], dtype=torch.float64)
    _, experts = layer.chosen(query, layer.keys.view(2, 3, 2))
    assert experts.tolist() == [[1 * 3 + 2]]


def test_masks_are_learned_as_if_they_were_real_numbers(tokens):
    layer = MaskedGLU(8).double()
    layer(tokens).square().sum().backward()
    soft = layer.masks().double().requires_grad_()
    normed = layer.norm(tokens)
    gate = normed @ (soft * layer.weight.detach()).T
    hidden = torch.nn.functional.silu(gate) * (normed @ layer.weight.detach().T - gate)
    layer.fc2(hidden).square().sum().backward()
    torch.testing.assert_close(layer.mask_logits.grad, soft.grad)


def test_masks_are_stored_as_bits():
    layer = MaskedGLU(12, masks=3).double()
    masks = layer.masks()
    layer.finalise()
    assert torch.equal(layer.masks(), masks)
    assert layer.state_dict()["mask_bits"].numel() == 3 * 64 * 2
    assert set(layer.state_dict()) == {"norm.weight", "weight", "mask_bits", "fc2.weight"}
