"""What a run would take, told without running it."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.adapters.targets import target_layers
from models.ilrm.config import ILRMConfig
from models.layers.precision import bfloat16_where_fast
from models.training.config import TrainConfig, require_usable
from models.training.memory import NOT_COUNTED, PAIR_BYTES, Kept, count_kept, network_bytes, perceptual_bytes
from models.training.networks import TRAINED
from recon.vgg.network import VGG19_AVERAGE

GIB = 2**30


def dry_run(config: TrainConfig) -> dict[str, Any]:
    """Sizes of a run.

    Returns:
        By name: parameters, how many numbers are trained, tokens of one sample with the most views, floating point
        operations of one sample (matrix products and convolutions, forward), memory of a process in GiB (weights,
        gradients, optimiser, average; and what is kept for the backward pass, its parts, and what is not counted; of
        iLRM-nano counted in a pass, of the published network by `models.training.memory`), steps, samples; whether the
        perceptual term is trained with, and whether the data are there.

    Raises:
        InputError: Settings that no run can be made with.
    """
    require_usable(config)
    views = most_views(config)
    make = TRAINED[config.network][0]
    with torch.device("meta"):
        network = make(config.sizes)
    parameters = sum(p.numel() for p in network.parameters())
    trained = count_trained(config, network)
    tokens = count_tokens(config, views)
    kept = parameters * (2 if config.optim.ema_decay else 1)  # the network, and its average
    share = config.data.batch_size // config.trainer.parts
    activations = kept_for_backward(config, views, tokens)
    return {
        "network": config.network,
        "parameters": parameters,
        "trained": trained,
        "context_views": views,
        "viewpoint_tokens": tokens[0],
        "image_tokens": tokens[1],
        "forward_flops_per_sample": count_flops(config, network, views),
        "samples_per_step": config.data.batch_size,
        "samples_per_process_and_batch": share,
        "state_gib": round(4 * (kept + 3 * trained) / GIB, 2),
        "activations_gib": round(share * activations.most / GIB, 2),
        "activations_parts": parts_in_words(activations, share),
        "activations_not_counted": NOT_COUNTED,
        "perceptual_term": perceptual_in_words(config),
        "data_folder": f"{config.data.folder}, {'found' if Path(config.data.folder).is_dir() else 'not found'}",
        "steps": config.trainer.max_steps,
        "samples": config.trainer.max_steps * config.data.batch_size,
    }


def count_trained(config: TrainConfig, network: nn.Module) -> int:
    """Numbers that get gradients and moments: all of the network, or those of the adapter."""
    adapter = config.trainer.adapter
    if adapter.kind == "none":
        return sum(p.numel() for p in network.parameters())
    layers = target_layers(network, adapter).values()
    return sum(adapter.num_parameters(layer.out_features, layer.in_features) for layer in layers)


def most_views(config: TrainConfig) -> int:
    """The largest number of context views that the sampler draws."""
    sampler: Any = config.data.views.chosen
    return sampler.max_views if hasattr(sampler, "max_views") else max(sampler.num_context)


def count_tokens(config: TrainConfig, views: int) -> tuple[int, int]:
    """Viewpoint and image tokens of one sample."""
    height, width = config.data.size
    if isinstance(sizes := config.sizes, ILRMConfig):
        patch, viewpoint = sizes.patch, sizes.patch * sizes.viewpoint_factor
    else:
        patch, viewpoint = 8, 16
    return views * (height // viewpoint) * (width // viewpoint), views * (height // patch) * (width // patch)


def kept_for_backward(config: TrainConfig, views: int, tokens: tuple[int, int]) -> Kept:
    """Of one sample; the perceptual term is counted whether or not its weights are named."""
    sampler: Any = config.data.views.chosen
    sizes, (height, width), targets = config.sizes, config.data.size, sampler.num_targets
    if isinstance(sizes, ILRMConfig):
        gaussians, product = tokens[0] * sizes.patch**2, 4 if config.trainer.precision == "float32" else 2
        network, recomputed = network_bytes(sizes, *tokens, product)
    else:
        gaussians, recomputed = views * height * width, 0
        network = {"network": count_in_a_pass(TRAINED[config.network][0](sizes), blank_sample(config, views, "cpu"))}
    loss = {"rendering": targets * gaussians * PAIR_BYTES}
    if config.loss.perceptual:
        loss["perceptual term"] = targets * perceptual_bytes(VGG19_AVERAGE, height, width)
    return Kept(network, loss, recomputed)


def count_in_a_pass(network: nn.Module, sample: tuple[Tensor, Tensor, Tensor]) -> int:
    """Bytes of all tensors, other than weights, that a forward pass keeps."""
    with bfloat16_where_fast(sample[0].device):
        return count_kept(lambda: network(*sample), (*network.parameters(), *network.buffers(), *sample))


def parts_in_words(kept: Kept, samples: int) -> str:
    """Parts of `Kept.most` in GiB, for so many samples."""
    network, loss = (
        ", ".join(f"{name} {samples * size / GIB:.2f}" for name, size in parts.items())
        for parts in (kept.network, kept.loss)
    )
    if not kept.recomputed:
        return f"{network}; {loss}"
    return f"{network}; {loss}, or one block recomputed {samples * kept.recomputed / GIB:.2f} if that is more"


def perceptual_in_words(config: TrainConfig) -> str:
    """Whether the run has the perceptual term."""
    if not config.loss.perceptual:
        return "off"
    if config.loss.perceptual_weights is None:
        return "counted, but the run would leave it out: loss.perceptual_weights names no VGG-19 backbone"
    return f"with {config.loss.perceptual_weights}"


def count_flops(config: TrainConfig, network: nn.Module, views: int) -> int:
    """Of one forward pass; the published network on tensors without storage, iLRM-nano in truth."""
    device = "meta" if config.network == "ilrm" else "cpu"
    if device == "cpu":
        network = TRAINED[config.network][0](config.sizes)
    # The counter knows attention by its matrix products; the fused kernel of the CPU it does not count.
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        network(*blank_sample(config, views, device))
    return counter.get_total_flops()


def blank_sample(config: TrainConfig, views: int, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Black pictures of one sample, with cameras side by side."""
    height, width = config.data.size
    focal = float(max(height, width))
    K = torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]).to(device)
    poses = torch.eye(4).repeat(views, 1, 1)
    poses[:, 0, 3] = torch.arange(views) * 0.1
    images = torch.zeros(1, views, 3, height, width, device=device)
    return images, poses[None].to(device), K.expand(1, views, 3, 3)
