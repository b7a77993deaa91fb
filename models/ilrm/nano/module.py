"""Training of iLRM-nano with Lightning."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import pytorch_lightning as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.network import NanoILRM, NanoOutput
from models.layers.precision import bfloat16_where_fast
from recon.data.room_batches import RoomBatch
from recon.losses.depth import log_depth_l1, log_of_inverse, plane_cross_entropy
from recon.losses.photometric import gradient_l1
from recon.metrics.image import psnr
from recon.render.rasterizer import get_rasterizer


@dataclass(frozen=True)
class OptimConfig:
    """Optimiser and schedule: warm-up, constant rate, linear decay at the end.

    Attributes:
        lr: Constant learning rate of AdamW.
        warmup_steps: Linear rise at the start.
        decay_steps: Linear fall to zero at the end of the run; 0 for a run that another one will go on from.
        weight_decay: On matrices and kernels only.
        ema_decay: Decay of the moving average of the weights, which is what is evaluated and exported.
    """

    lr: float = 1e-3
    warmup_steps: int = 200
    decay_steps: int = 0
    weight_decay: float = 0.02
    ema_decay: float = 0.998


@dataclass(frozen=True)
class LossConfig:
    """Weights of the loss terms beside the mean squared error of rendered targets.

    Attributes:
        gradient: L1 of image gradients.
        depth: L1 of log depth at full size and at 1/8.
        planes: Cross entropy of the coarse depth distribution.
    """

    gradient: float = 0.05
    depth: float = 0.02
    planes: float = 0.004


class NanoModule(pl.LightningModule):
    """Predicts Gaussians from context views, renders the targets, compares; depth of the rooms supervises geometry.

    Args:
        model: Sizes of the network.
        optim: Optimiser and schedule.
        loss: Weights of the loss terms.
        max_steps: Length of the run, which the decay is measured from.
        seed: Seed of the random backgrounds.
    """

    def __init__(self, model: NanoConfig, optim: OptimConfig, loss: LossConfig, max_steps: int, seed: int = 0):
        super().__init__()
        self.save_hyperparameters({"model": asdict(model), "optim": asdict(optim), "loss": asdict(loss)})
        self.network = NanoILRM(model)
        self.average = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(optim.ema_decay))
        self.optim, self.loss, self.max_steps, self.seed = optim, loss, max_steps, seed

    def predict(self, network: nn.Module, batch: RoomBatch, unit: Tensor | None = None) -> NanoOutput:
        """Network output, under bfloat16 autocast where that is fast."""
        with bfloat16_where_fast(self.device):
            return network(batch.images, batch.cam_from_world, batch.K, unit)

    def render(
        self, output: NanoOutput, batch: RoomBatch, backgrounds: Float[Tensor, "batch 3"]
    ) -> Float[Tensor, "batch targets 3 height width"]:
        """The targets, seen through the predicted Gaussians."""
        height, width = batch.target_images.shape[-2:]
        rasterizer = get_rasterizer("auto", output.gaussians.means.device)
        images = []
        for i, background in enumerate(backgrounds):
            scene = output.gaussians.scene(i)
            rendering = rasterizer(
                *(scene.means, scene.quats, scene.scales, scene.opacities, scene.sh),
                *(batch.target_cam_from_world[i], batch.target_K[i], width, height),
                sh_degree=0,
                backgrounds=background.expand(len(batch.target_K[i]), 3),
            )
            images.append(rendering.color.permute(0, 3, 1, 2))
        return torch.stack(images)

    def training_step(self, batch: RoomBatch, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.global_step)
        output = self.predict(self.network, batch, self._jittered_unit(batch, generator))
        backgrounds = torch.rand(len(batch.images), 3, generator=generator).to(self.device)
        rendered = self.render(output, batch, backgrounds)
        terms = self.loss_terms(output, rendered, batch)
        total = sum(terms.values(), start=torch.zeros((), device=self.device))
        self.log_dict({f"loss/{name}": value.detach() for name, value in terms.items()} | {"loss": total.detach()})
        return total

    def loss_terms(self, output: NanoOutput, rendered: Tensor, batch: RoomBatch) -> dict[str, Tensor]:
        """Every weighted term of the loss."""
        unit = output.unit[:, None, None, None]
        planes = self.network.coarse_log_planes
        truth = log_of_inverse(batch.inverse_depth * unit, float(torch.exp(-planes[-1])))
        valid = truth > planes[0]
        coarse = slice(4, None, 8)
        coarse_truth, coarse_valid = truth[..., coarse, coarse], valid[..., coarse, coarse]
        depth = log_depth_l1(output.log_depth, truth, valid)
        depth = depth + log_depth_l1(output.coarse_log_depth, coarse_truth, coarse_valid)
        entropy = plane_cross_entropy(output.coarse_logits, planes, coarse_truth, coarse_valid)
        return {
            "mse": (rendered - batch.target_images).square().mean(),
            "gradient": self.loss.gradient * gradient_l1(rendered, batch.target_images),
            "depth": self.loss.depth * depth,
            "planes": self.loss.planes * entropy,
        }

    def validation_step(self, batch: RoomBatch, batch_idx: int) -> None:
        """PSNR of held-out rooms and relative depth error, with the averaged weights."""
        output = self.predict(self.average.module, batch)
        mean_colour = batch.images.mean((1, 3, 4))
        rendered = self.render(output, batch, mean_colour)
        score = torch.stack([psnr(a, b).mean() for a, b in zip(rendered, batch.target_images, strict=True)]).mean()
        truth = log_of_inverse(
            batch.inverse_depth * output.unit[:, None, None, None],
            float(torch.exp(-self.network.coarse_log_planes[-1])),
        )
        depth = log_depth_l1(output.log_depth, truth, truth > self.network.coarse_log_planes[0])
        size = len(batch.images)
        self.log_dict({"val/psnr": score, "val/depth": depth}, batch_size=size, prog_bar=True)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Change the weights, then fold them into the average."""
        super().optimizer_step(*args, **kwargs)
        self.average.update_parameters(self.network)

    def configure_optimizers(self) -> Any:
        """AdamW with weight decay on matrices only, and the warm-up, constant, decay schedule."""
        decayed, plain = split_decay(self.network.parameters())
        groups = [{"params": decayed, "weight_decay": self.optim.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=self.optim.lr, betas=(0.9, 0.98))
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(self.optim, self.max_steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _jittered_unit(self, batch: RoomBatch, generator: torch.Generator) -> Tensor:
        """Reference lengths times exp(U(-0.35, 0.35)): the network must not rely on where the depth range begins."""
        unit = self.network.default_unit(batch.cam_from_world)
        jitter = (torch.rand(len(unit), generator=generator) * 0.7 - 0.35).exp()
        return unit * jitter.to(unit)


def rate_factor(optim: OptimConfig, max_steps: int) -> Callable[[int], float]:
    """Factor on the learning rate at a step: linear rise, constant, linear fall at the end."""

    def factor(step: int) -> float:
        rise = min(1.0, (step + 1) / max(optim.warmup_steps, 1))
        return rise * min(1.0, (max_steps - step) / optim.decay_steps) if optim.decay_steps else rise

    return factor


def split_decay(parameters: Iterable[nn.Parameter]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters with and without weight decay: matrices and kernels, and all the rest."""
    parameters = list(parameters)
    return [p for p in parameters if p.ndim >= 2], [p for p in parameters if p.ndim < 2]
