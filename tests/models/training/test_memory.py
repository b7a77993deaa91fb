"""What is kept for the backward pass: the formulas beside the tensors that autograd saves."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from models.ilrm.config import DL3DV_WIDE, RE10K_2VIEW, ILRMConfig
from models.ilrm.network import ILRM
from models.ilrm.objective import LossConfig
from models.ilrm.processor import ReadBlock, ShareBlock
from models.training.data import SceneDataModule
from models.training.dry_run import blank_sample, count_tokens, kept_for_backward
from models.training.memory import PAIR_BYTES, block_bytes, count_kept, network_bytes, perceptual_bytes
from models.training.networks import make_module
from recon.data.views.config import ViewsConfig
from recon.data.views.whole_span import WholeSpan
from recon.losses.vgg import VGGLoss
from recon.render.rasterizer import get_rasterizer
from recon.vgg.network import VGG19_AVERAGE, VGGFeatures
from tests.models.walls import small_run
from tests.small_vgg import SMALL_VGG19, random_tensors

WITHIN = 0.15
"""Of what is saved, by which formulas may be off: statistics of norms, weights in bfloat16."""
SIZES = {"dim": 192, "head_dim": 64, "num_layers": 2, "checkpointing": True}
FULL, HALF = replace(RE10K_2VIEW, **SIZES), replace(DL3DV_WIDE, **SIZES)


def test_only_what_is_not_known_counts_and_once() -> None:
    """The second layer and the ReLU keep the same tensor."""
    layers = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)).double()
    x = torch.zeros(5, 8, dtype=torch.float64)
    assert count_kept(lambda: layers(x), (*layers.parameters(), x)) == 5 * 16 * 8
    with torch.no_grad():
        assert count_kept(lambda: layers(x), (*layers.parameters(), x)) == 0


@pytest.mark.parametrize("product", [2, 4])
@pytest.mark.parametrize("sizes", [FULL, HALF], ids=["full", "half"])
def test_a_block_keeps_what_is_told(sizes: ILRMConfig, product: int) -> None:
    views, length, keys = 2, 256, 256 * sizes.viewpoint_factor**2
    x = torch.randn(1, views, length, sizes.dim, requires_grad=True)
    memory = torch.randn(1, views, keys, sizes.dim, requires_grad=True)
    read = ReadBlock(sizes.dim, sizes.head_dim, sizes.uplift)
    share = ShareBlock(sizes.dim, sizes.head_dim)
    tokens = views * length
    for block, asking, asked in ((read, sizes.uplift * tokens, views * keys), (share, tokens, tokens)):
        with torch.autocast("cpu", torch.bfloat16, enabled=product == 2):
            found = count_kept(lambda block=block: block(x, memory), (*block.parameters(), memory))
        told = block_bytes(sizes, tokens, asking, asked, product)
        assert told == pytest.approx(found, rel=WITHIN)


@pytest.mark.parametrize("product", [2, 4])
@pytest.mark.parametrize("sizes", [FULL, HALF], ids=["full", "half"])
def test_the_stream_between_recomputed_blocks_is_float32(sizes: ILRMConfig, product: int) -> None:
    """As on CUDA, where autocast computes norms in float32; on the CPU the tokenisers are told to."""
    network = ILRM(sizes)
    for tokeniser in (network.viewpoint_tokenizer, network.image_tokenizer):
        tokeniser.register_forward_hook(lambda _, __, output: output.float())
    config = replace(small_run(Path(), Path(), "ilrm"), ilrm=sizes)
    sample = blank_sample(config, 2, "cpu")
    tokens = network.tokenise(*sample)
    with torch.autocast("cpu", torch.bfloat16, enabled=product == 2):
        found = count_kept(
            lambda: network.processor(tokens.viewpoint, tokens.image), (tokens.image, *network.parameters())
        )
    parts, _ = network_bytes(sizes, *count_tokens(config, 2), product)
    assert parts["update layers"] == found == 4 * tokens.viewpoint.numel() * 2 * sizes.num_layers


def test_a_target_of_256_by_256_keeps_112_mebibytes_of_features() -> None:
    assert perceptual_bytes(VGG19_AVERAGE, 256, 256) / 2**20 == 112.5


@pytest.mark.parametrize("size", [(32, 48), (64, 64)])
def test_the_perceptual_term_keeps_what_is_told(size: tuple[int, int], generator: torch.Generator) -> None:
    loss = VGGLoss(VGGFeatures(SMALL_VGG19, random_tensors(SMALL_VGG19, generator)))
    rendered, target = torch.rand(2, 2, 3, *size, generator=generator)
    rendered.requires_grad_()
    found = count_kept(lambda: loss(rendered, target), (*loss.buffers(), rendered, target))
    assert 2 * perceptual_bytes(SMALL_VGG19, *size) == pytest.approx(found, rel=0.01)


def test_the_rasteriser_of_the_cpu_keeps_about_so_much_of_a_pair(generator: torch.Generator) -> None:
    num, cameras = 500, 3
    means = torch.randn(num, 3, generator=generator).requires_grad_()
    K = torch.tensor([[20.0, 0, 16], [0, 20, 16], [0, 0, 1]]).expand(cameras, 3, 3)
    color = get_rasterizer("cpu", means.device)(
        *(means, torch.randn(num, 4, generator=generator), torch.full((num, 3), 0.05), torch.full((num,), 0.5)),
        *(torch.ones(num, 1, 3), torch.eye(4).repeat(cameras, 1, 1), K, 32, 32),
        sh_degree=0,
    ).color
    frame = cast(Any, color.grad_fn).frame
    found = frame.records.nbytes + frame.counts.nbytes + frame.offsets.nbytes
    assert cameras * num * PAIR_BYTES == pytest.approx(found, rel=WITHIN)


@pytest.mark.parametrize("checkpointing", [True, False])
@pytest.mark.parametrize("sizes", [FULL, HALF], ids=["full", "half"])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_step_keeps_what_is_told(sizes: ILRMConfig, checkpointing: bool, walls: Path, tmp_path: Path) -> None:
    """From the pictures to the squared error of one target, in float32, but for the arrays of the rasteriser."""
    config = small_run(walls, tmp_path, "ilrm", precision="float32")
    views = ViewsConfig(sampler="whole_span", whole_span=WholeSpan((2,), num_targets=1))
    config = replace(
        config,
        ilrm=replace(sizes, checkpointing=checkpointing),
        data=replace(config.data, views=views),
        loss=LossConfig(dssim=0.0, gradient=0.0),
    )
    module, batch = make_module(config), SceneDataModule(config).train_batches[[0]]
    known = [*module.parameters(), *module.buffers(), *(part for part in batch if isinstance(part, Tensor))]
    found = count_kept(lambda: module.terms(batch), known)
    told = kept_for_backward(config, 2, count_tokens(config, 2))
    assert sum(told.network.values()) == pytest.approx(found, rel=WITHIN)
    assert (told.recomputed > 0) == checkpointing
