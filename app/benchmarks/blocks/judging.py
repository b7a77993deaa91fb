"""What else is measured of a trained network: its size, its inference form, and what is special about its block."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from app.benchmarks.blocks.layers import elementwise_macs
from models.ilrm.config import ILRMConfig
from models.ilrm.module import ILRMModule
from models.ilrm.nano.config import NanoConfig
from models.ilrm.processor import Processor
from models.layers.attentions.pruned_keys import PrunedKeysAttention
from models.layers.contracts import Layout
from models.layers.feedforwards.fast import FastFeedForward
from models.layers.feedforwards.nested import WIDTHS
from models.settings import NANO_MULTIPLE
from models.training import TrainConfig
from models.training.data import SceneDataModule
from models.training.networks import make_module
from recon.data.scene_batches import HELD_OUT_BATCH, SceneBatch
from recon.metrics.image import psnr


def judge(config: TrainConfig, trained: nn.Module) -> dict[str, Any]:
    """Figures of a trained network.

    Args:
        config: Of its run.
        trained: The network, in the form that is trained; afterwards it is in the one that is used.

    Returns:
        "parameters" and "macs" (of a forward pass on one sample) in the form that is used, "macs_train" in the other;
        "psnr" in dB: "final" in the form that is used, "nearest_view" of the context view whose camera is nearest,
        which is what can be had without any 3D, and for some blocks more; "leaf_use": layer -> share of the tokens of
        every leaf.
    """
    module = make_module(config)
    module.network, module.average = trained, None
    network, processor = module.network, cast(Processor, module.network.processor)
    module.eval()
    batches = held_out(config)
    network.train()
    macs_train = count_macs(module, batches[0])
    network.eval()
    special = _special_scores(module, processor, batches)
    leaf_use = _leaf_use(module, batches[0])
    processor.schedule(1.0)
    processor.finalise()
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "macs": count_macs(module, batches[0]),
        "macs_train": macs_train,
        "psnr": {"final": score(module, batches), "nearest_view": _nearest_view(batches)} | special,
        "leaf_use": leaf_use,
    }


def held_out(config: TrainConfig) -> list[SceneBatch]:
    """The batches that a run is evaluated on."""
    batches = SceneDataModule(config).val_batches
    starts = range(0, config.trainer.val_batches * HELD_OUT_BATCH, HELD_OUT_BATCH)
    return [batches[list(range(start, start + HELD_OUT_BATCH))] for start in starts]


@torch.no_grad()
def score(module: ILRMModule, batches: Sequence[SceneBatch]) -> float:
    """Mean PSNR of held-out targets, as in training."""
    scores = []
    for batch in batches:
        rendered = module.render(module.predict(module.network, batch), batch, module.backgrounds(batch))
        scores += [psnr(a, b).mean() for a, b in zip(rendered, batch.target_images, strict=True)]
    return float(torch.stack(scores).mean())


@torch.no_grad()
def count_macs(module: ILRMModule, batch: SceneBatch) -> int:
    """Multiply-adds of the network on a batch, for one sample; plane sweeps of iLRM-nano are not counted."""
    config = cast(ILRMConfig | NanoConfig, module.network.config)
    side = NANO_MULTIPLE if isinstance(config, NanoConfig) else config.patch * config.viewpoint_factor
    samples, views, _, height, width = batch.images.shape
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        module.predict(module.network, batch)
    elementwise = elementwise_macs(module.network, Layout(views, height // side, width // side))
    return counter.get_total_flops() // 2 // samples + elementwise


def _special_scores(module: ILRMModule, processor: Processor, batches: Sequence[SceneBatch]) -> dict[str, float]:
    """Nested: at every width. Trees: as the soft mixture that is trained. Pruned keys: with all keys."""
    scores: dict[str, float] = {}
    if processor.config.feed_forward.kind == "nested":
        for width in WIDTHS:
            processor.width = width
            scores[f"width_{width:g}"] = score(module, batches)
    trees = _parts(processor, FastFeedForward)
    if trees:
        for tree in trees:
            tree.train()
            tree.schedule(0.0)
        scores["soft"] = score(module, batches)
        for tree in trees:
            tree.eval()
    pruned = _parts(processor, PrunedKeysAttention)
    if pruned:
        kept = pruned[0].keep
        for layer in pruned:
            layer.keep = 1.0
        scores["all_keys"] = score(module, batches)
        for layer in pruned:
            layer.keep = kept
    return scores


@torch.no_grad()
def _leaf_use(module: ILRMModule, batch: SceneBatch) -> dict[str, list[float]]:
    """Share of the tokens of a batch that reach every leaf of every tree."""
    found: dict[str, list[float]] = {}
    hooks = []
    for name, tree in module.network.named_modules():
        if isinstance(tree, FastFeedForward):

            def note(layer: nn.Module, inputs: tuple[Tensor, ...], _: Tensor, name: str = name) -> None:
                tree = cast(FastFeedForward, layer)
                leaves = tree.leaves_of(tree.norm(inputs[0].float()))
                counts = torch.bincount(leaves, minlength=tree.num_leaves)
                found[name] = (counts / counts.sum()).tolist()

            hooks.append(tree.register_forward_hook(note))
    if hooks:
        module.predict(module.network, batch)
    for hook in hooks:
        hook.remove()
    return found


def _nearest_view(batches: Sequence[SceneBatch]) -> float:
    """PSNR if every target were the picture of the context camera whose centre is nearest."""
    scores = []
    for batch in batches:
        centres, targets = (_centres(cams) for cams in (batch.cam_from_world, batch.target_cam_from_world))
        nearest = torch.cdist(targets, centres).argmin(-1)
        for images, index, truth in zip(batch.images, nearest, batch.target_images, strict=True):
            scores.append(psnr(images[index], truth).mean())
    return float(torch.stack(scores).mean())


def _centres(cam_from_world: Tensor) -> Tensor:
    return -(cam_from_world[..., :3, :3].mT @ cam_from_world[..., :3, 3:])[..., 0]


def _parts(processor: Processor, kind: type) -> list[Any]:
    return [part for part in processor.modules() if isinstance(part, kind)]
