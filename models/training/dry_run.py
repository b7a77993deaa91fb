"""What a run would take, told without running it."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.adapters.targets import target_layers
from models.ilrm.config import ILRMConfig
from models.ilrm.nano.config import NanoConfig
from models.layers.precision import bfloat16_where_fast
from models.training.config import TrainConfig, require_usable
from models.training.networks import TRAINED

BYTES_PER_TOKEN_AND_WIDTH = 34
"""What one transformer block keeps for the backward pass, per token and channel, in 16-bit precision with fused
attention (Korthikanti et al. 2022, section 4.1)."""
GIB = 2**30


def dry_run(config: TrainConfig) -> dict[str, Any]:
    """Sizes of a run.

    Returns:
        By name: parameters, how many numbers are trained, tokens of one sample with the most views, floating point
        operations of one sample (matrix products and convolutions, forward), memory of a process in GiB (weights,
        gradients, optimiser, average; and what is kept for the backward pass: of iLRM-nano counted in a pass, of the
        published network estimated for its update layers), steps, samples.

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
        "activations_gib": round(share * activation_bytes(config, views, tokens) / GIB, 2),
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


def activation_bytes(config: TrainConfig, views: int, tokens: tuple[int, int]) -> int:
    """Kept for the backward pass of one sample."""
    sizes = config.sizes
    if isinstance(sizes, NanoConfig):
        return count_kept(TRAINED[config.network][0](sizes), blank_sample(config, views, "cpu"))
    blocks, block = 2 * sizes.num_layers, tokens[0] * sizes.uplift * sizes.dim * BYTES_PER_TOKEN_AND_WIDTH
    return blocks * tokens[0] * sizes.dim * 2 + block if sizes.checkpointing else blocks * block


def count_kept(network: nn.Module, sample: tuple[Tensor, Tensor, Tensor]) -> int:
    """Bytes of all tensors, other than weights, that a forward pass keeps for a backward one, its own or one within."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor  # held until the backward pass, so no other tensor gets its place

    hooks = torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor)
    with hooks, bfloat16_where_fast(sample[0].device):
        _alive = network(*sample)
    weights = {tensor.untyped_storage().data_ptr() for tensor in (*network.parameters(), *network.buffers(), *sample)}
    return sum(size for place, size in kept.items() if place not in weights)


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
