"""Training of iLRM with Lightning: predict Gaussians from context views, render the targets, compare."""

import copy
import logging
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
import pytorch_lightning as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.adapters import AdapterConfig, add_adapter, merge_adapter
from models.collectives import names_of_non_finite
from models.ilrm.gaussian_batch import GaussianBatch
from models.ilrm.objective import LossConfig, OptimConfig, make_optimizer
from models.ilrm.processor import Processor
from models.layers.feedforwards.nested import WIDTHS as NESTED_WIDTHS
from models.layers.precision import bfloat16_where_fast
from recon.data.scene_batches import SceneBatch
from recon.errors import TrainingError
from recon.geometry.normalise import normalise_cameras, reference_camera
from recon.geometry.se3 import invert_rigid
from recon.losses.laplacian import laplacian_l1
from recon.losses.photometric import gradient_l1
from recon.losses.ssim import ssim_loss
from recon.losses.vgg import VGGLoss, read_vgg_loss
from recon.metrics.image import psnr
from recon.render.rasterizer import get_rasterizer

logger = logging.getLogger(__name__)


class Prediction(NamedTuple):
    """What a network makes of the context views of a batch.

    Attributes:
        gaussians: In the frame of `target_cam_from_world`.
        target_cam_from_world: Cameras of the targets, moved as the network moved those of the context.
        output: Whatever else the network says, for loss terms of its own.
    """

    gaussians: GaussianBatch
    target_cam_from_world: Float[Tensor, "batch targets 4 4"]
    output: Any


class ILRMModule(pl.LightningModule):
    """The published iLRM (section 3.4): squared error of rendered targets, and a perceptual term.

    Every loss term is a mean over the samples of a batch, so that gradients do not depend on how the samples of a step
    are divided among processes.

    Args:
        network: Its `config` is exported with the weights.
        optim: Optimiser and schedule.
        loss: Weights of the loss terms.
        max_steps: Length of the run, by which the schedule falls.
        seed: Of everything random in a step but the data.
        float32: Never compute in bfloat16.
    """

    network_name: ClassVar[str] = "ilrm"

    def __init__(
        self,
        network: nn.Module,
        optim: OptimConfig,
        loss: LossConfig,
        max_steps: int,
        seed: int = 0,
        *,
        float32: bool = False,
    ):
        super().__init__()
        self.network = network
        self.optim, self.loss, self.max_steps, self.seed, self.float32 = optim, loss, max_steps, seed, float32
        self.adapter: AdapterConfig | None = None
        self.average = _average(network, optim)
        self.perceptual = _perceptual(loss)
        self.names_in_step: list[str] = []
        self.skipped: dict[str, str] = {}
        self.shown: Float[Tensor, "2 targets 3 height width"] | None = None

    @property
    def evaluated(self) -> nn.Module:
        """The network that is evaluated and exported: the averaged one if there is an average."""
        return self.network if self.average is None else self.average.module

    def start_from(self, state: dict[str, Tensor]) -> None:
        """Take weights of the same network; the optimiser and its schedule start anew."""
        self.network.load_state_dict(state)
        self.evaluated.load_state_dict(state)

    def adapt(self, adapter: AdapterConfig) -> None:
        """Train an adapter from now on, and nothing else; called before there is an optimiser.

        Raises:
            InputError: The network cannot take it.
            ResourceError: It needs peft, which is not installed.
        """
        layers = add_adapter(self.network, adapter)
        self.adapter, self.average = adapter, _average(self.network, self.optim)
        trained = sum(p.numel() for p in self.network.parameters() if p.requires_grad)
        logger.info("training %d numbers of kind %s beside %d layers", trained, adapter.kind, len(layers))

    def plain(self) -> nn.Module:
        """The evaluated network as it is exported: with an adapter, a copy that has it in its weights."""
        if self.adapter is None:
            return self.evaluated
        merged = copy.deepcopy(self.evaluated)
        merge_adapter(merged)
        return merged

    def predict(self, network: Any, batch: SceneBatch, chance: Float[Tensor, "batch 4"] | None = None) -> Prediction:
        """Gaussians and targets in the normalised world of the context cameras.

        Args:
            network: The trained or the averaged one.
            batch: Context views are looked at, and the cameras of the targets.
            chance: Numbers from 0 to 1, of each sample its own; given in training only.
        """
        contexts, targets = [], []
        for context, target in zip(batch.cam_from_world, batch.target_cam_from_world, strict=True):
            world_from_cam = invert_rigid(context)
            normalise = normalise_cameras(world_from_cam, scale_from=network.config.scale_from, origin=reference_camera)
            contexts.append(normalise.apply(world_from_cam))
            targets.append(invert_rigid(normalise.apply(invert_rigid(target))))
        with self.precision_context():
            gaussians = network(batch.images, torch.stack(contexts), batch.K)
        return Prediction(gaussians, torch.stack(targets), None)

    def backgrounds(
        self, batch: SceneBatch, chance: Float[Tensor, "batch 4"] | None = None
    ) -> Float[Tensor, "batch 3"]:
        """White, in training and evaluation, as published."""
        return torch.ones(len(batch.images), 3, device=self.device, dtype=batch.images.dtype)

    def own_terms(self, prediction: Prediction, batch: SceneBatch) -> dict[str, Tensor]:
        """Weighted loss terms that only this kind of network has."""
        return {}

    def precision_context(self) -> torch.autocast:
        """Autocast to bfloat16 where that is fast, unless float32 was asked for."""
        return torch.autocast(self.device.type, enabled=False) if self.float32 else bfloat16_where_fast(self.device)

    def render(
        self, prediction: Prediction, batch: SceneBatch, backgrounds: Float[Tensor, "batch 3"]
    ) -> Float[Tensor, "batch targets 3 height width"]:
        """The targets, seen through the predicted Gaussians."""
        height, width = batch.target_images.shape[-2:]
        rasterizer = get_rasterizer("auto", prediction.gaussians.means.device)
        images = []
        for i, background in enumerate(backgrounds):
            scene = prediction.gaussians.scene(i)
            rendering = rasterizer(
                *(scene.means, scene.quats, scene.scales, scene.opacities, scene.sh),
                *(prediction.target_cam_from_world[i], batch.target_K[i], width, height),
                sh_degree=0,
                backgrounds=background.expand(len(batch.target_K[i]), 3),
            )
            images.append(rendering.color.permute(0, 3, 1, 2))
        return torch.stack(images)

    def training_step(self, batch: SceneBatch, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        self.names_in_step += batch.names
        self._take_note(batch, "left out")
        self.prepare_blocks(self.global_step)
        terms = self.terms(batch)
        total = torch.stack(list(terms.values())).sum()
        if culprits := names_of_non_finite(total.detach(), batch.names):
            raise TrainingError(
                f"non-finite loss at step {self.global_step}, of {'; '.join(culprits)}; the weights are untouched",
                hint="look at these pictures and cameras, or lower the learning rate",
            )
        self.log_dict({f"loss/{name}": value.detach() for name, value in terms.items()} | {"loss": total.detach()})
        return total

    def prepare_blocks(self, step: int) -> None:
        """Tell the update layers how far training is; nested ones are trained at a width drawn for the step."""
        processor = cast(Processor, self.network.processor)
        processor.schedule(step / self.max_steps)
        if processor.config.feed_forward.kind == "nested":
            rng = np.random.default_rng([self.seed, step, *b"width"])
            processor.width = float(rng.choice(NESTED_WIDTHS))

    def terms(self, batch: SceneBatch) -> dict[str, Tensor]:
        """Every weighted term of the loss of a batch, as it is trained."""
        chance = torch.from_numpy(np.stack([np.random.default_rng([self.seed, n]).random(4) for n in batch.numbers]))
        chance = chance.to(batch.images)
        prediction = self.predict(self.network, batch, chance)
        rendered = self.render(prediction, batch, self.backgrounds(batch, chance))
        return self.loss_terms(prediction, rendered, batch)

    def _take_note(self, batch: SceneBatch, what: str) -> None:
        """Which captures could not be used, and what became of them."""
        for name, reason in batch.skipped:
            if name not in self.skipped:
                logger.warning("%s %s: %s", what, name, reason)
            self.skipped[name] = reason

    def loss_terms(self, prediction: Prediction, rendered: Tensor, batch: SceneBatch) -> dict[str, Tensor]:
        """Every weighted term of the loss."""
        truth = batch.target_images
        terms = {"mse": (rendered - truth).square().mean()}
        if self.loss.gradient:
            terms["gradient"] = self.loss.gradient * gradient_l1(rendered, truth)
        if self.loss.dssim:
            terms["dssim"] = self.loss.dssim * ssim_loss(rendered, truth)
        if self.loss.laplacian:
            terms["laplacian"] = self.loss.laplacian * laplacian_l1(rendered, truth)
        if self.perceptual is not None:
            terms["perceptual"] = self.loss.perceptual * self.perceptual(rendered.flatten(0, 1), truth.flatten(0, 1))
        asked = cast(Processor, self.network.processor).aux_losses()
        terms |= {f"block_{name}": self.loss.blocks * value for name, value in asked.items()}
        return terms | self.own_terms(prediction, batch)

    def validation_step(self, batch: SceneBatch, batch_idx: int) -> None:
        """PSNR of held-out captures, with the averaged weights."""
        self._take_note(batch, "held out, and replaced by the next one:")
        cast(Processor, self.evaluated.processor).width = 1.0
        prediction = self.predict(self.evaluated, batch)
        rendered = self.render(prediction, batch, self.backgrounds(batch))
        score = torch.stack([psnr(a, b).mean() for a, b in zip(rendered, batch.target_images, strict=True)]).mean()
        figures = {"val/psnr": score} | self.own_figures(prediction, batch)
        self.log_dict(figures, batch_size=len(batch.images), sync_dist=True)
        if batch_idx == 0:
            self.shown = torch.stack([batch.target_images[0], rendered[0].clamp(0, 1)])

    def own_figures(self, prediction: Prediction, batch: SceneBatch) -> dict[str, Tensor]:
        """Figures of held-out captures that only this kind of network has."""
        return {}

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Change the weights, then fold them into the average."""
        super().optimizer_step(*args, **kwargs)
        self.names_in_step.clear()
        if self.average is not None:
            self.average.update_parameters(self.network)

    def configure_optimizers(self) -> Any:
        """AdamW with weight decay on matrices only, and the schedule."""
        return make_optimizer(self.network, self.optim, self.max_steps)


def _average(network: nn.Module, optim: OptimConfig) -> AveragedModel | None:
    if not optim.ema_decay:
        return None
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(optim.ema_decay))
    return average.requires_grad_(False)


def _perceptual(loss: LossConfig) -> VGGLoss | None:
    if not loss.perceptual:
        return None
    if loss.perceptual_weights is None:
        logger.warning(
            "training without the perceptual term (weight %g): loss.perceptual_weights names no VGG-19 backbone",
            loss.perceptual,
        )
        return None
    return read_vgg_loss(Path(loss.perceptual_weights)).requires_grad_(False)
