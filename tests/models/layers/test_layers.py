import torch

from models.layers.attentions import CrossAttention, SelfAttention
from models.layers.patches import patchify, unpatchify
from models.layers.precision import full_precision


def test_patches_round_trip(generator):
    image = torch.randn(2, 3, 16, 24, 5, generator=generator)
    torch.testing.assert_close(unpatchify(patchify(image, 8), 8, 16, 24), image)


def test_first_patch_is_the_upper_left_square_in_row_order(generator):
    image = torch.randn(8, 8, 2, generator=generator)
    torch.testing.assert_close(patchify(image, 4)[0].view(4, 4, 2), image[:4, :4])


def test_self_attention_does_not_know_the_order_of_tokens(generator):
    layer = SelfAttention(32, 16)
    tokens = torch.randn(1, 7, 32, generator=generator)
    order = torch.randperm(7, generator=generator)
    torch.testing.assert_close(layer(tokens)[:, order], layer(tokens[:, order]))


def test_cross_attention_reads_only_its_memory(generator):
    layer = CrossAttention(32, 16, uplift=2)
    tokens, memory = torch.randn(1, 3, 32, generator=generator), torch.randn(1, 5, 32, generator=generator)
    changed = tokens.clone()
    changed[:, 2] += 1
    torch.testing.assert_close(layer(tokens, memory)[:, :2], layer(changed, memory)[:, :2])


def test_constant_values_pass_through_attention_whatever_the_scores(generator):
    layer = CrossAttention(32, 16)
    with torch.no_grad():
        layer.proj.weight.copy_(torch.eye(32))
    memory = torch.randn(1, 1, 32, generator=generator).expand(1, 9, 32)
    out = layer(torch.randn(1, 4, 32, generator=generator), memory)
    torch.testing.assert_close(out, layer.v(memory)[:, :4])


def test_full_precision_leaves_autocast():
    @full_precision
    def product(a: torch.Tensor) -> torch.Tensor:
        return a @ a

    with torch.autocast("cpu", torch.bfloat16):
        assert (torch.eye(2) @ torch.eye(2)).dtype == torch.bfloat16
        assert product(torch.eye(2)).dtype == torch.float32
