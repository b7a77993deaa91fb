"""Training of iLRM-nano: as iLRM, and the depth of rendered rooms supervises its geometry."""

from typing import Any, ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor

from models.ilrm.module import ILRMModule, Prediction
from models.ilrm.nano.network import NanoILRM, NanoOutput
from models.ilrm.nano.stage import DepthStage
from recon.data.scene_batches import SceneBatch
from recon.losses.depth import log_depth_l1, log_depth_robust, log_of_inverse, plane_cross_entropy

PLANES_IN_STAGES = 0.02
"""Cross entropy (of about 2) beside the robust error of log depth (of about 0.04)."""


class NanoModule(ILRMModule):
    """iLRM-nano; args as `ILRMModule`."""

    network_name: ClassVar[str] = "ilrm-nano"

    def predict(self, network: Any, batch: SceneBatch, chance: Float[Tensor, "batch 4"] | None = None) -> Prediction:
        """Gaussians in the world of the given cameras.

        In training the reference lengths are multiplied by exp(U(-0.35, 0.35)): the network must not rely on where the
        depth range begins.
        """
        unit = None
        if chance is not None:
            unit = network.default_unit(batch.cam_from_world) * (chance[:, 0] * 0.7 - 0.35).exp()
        with self.precision_context():
            output: NanoOutput = network(batch.images, batch.cam_from_world, batch.K, unit)
        return Prediction(output.gaussians, batch.target_cam_from_world, output)

    def backgrounds(
        self, batch: SceneBatch, chance: Float[Tensor, "batch 4"] | None = None
    ) -> Float[Tensor, "batch 3"]:
        """Random in training, so that nothing may stay transparent; the mean colour of the context in evaluation."""
        return batch.images.mean((1, 3, 4)) if chance is None else chance[:, 1:]

    def own_terms(self, prediction: Prediction, batch: SceneBatch) -> dict[str, Tensor]:
        """Depth at every stage, and the distributions over planes; none where depth is not known."""
        if batch.inverse_depth is None:
            return {}
        output: NanoOutput = prediction.output
        truth, valid = self._true_log_depth(output, batch.inverse_depth)
        samples = [self._sample_terms(output, truth, valid, i) for i in range(len(truth))]
        depth, planes, stages = torch.stack(samples).mean(0)
        return {"depth": self.loss.depth * depth, "planes": self.loss.planes * planes} | (
            {"stages": self.loss.stages * stages} if self.loss.stages else {}
        )

    def _sample_terms(self, output: NanoOutput, truth: Tensor, valid: Tensor, i: int) -> Float[Tensor, "3"]:
        """L1 of log depth, cross entropy of the coarse planes, and what the local stages are told, of one sample."""
        coarse = (i, ..., slice(4, None, 8), slice(4, None, 8))
        depth = log_depth_l1(output.log_depth[i], truth[i], valid[i])
        depth = depth + log_depth_l1(output.coarse_log_depth[i], truth[coarse], valid[coarse])
        planes = plane_cross_entropy(output.coarse_logits[i], self._planes, truth[coarse], valid[coarse])
        views = truth.shape[1]
        own = slice(i * views, (i + 1) * views)
        stages = log_depth_robust(output.log_depth[i], truth[i], valid[i])
        for stage, local, stride in zip(output.stages, self._local_stages, (4, 2), strict=True):
            at = (i, ..., slice(stride // 2, None, stride), slice(stride // 2, None, stride))
            offset = truth[at] - stage.centre[own]
            near = valid[at] & (offset.abs() < local.offsets[-1])
            stages = stages + log_depth_robust(stage.log_depth[own], truth[at], valid[at])
            stages = stages + PLANES_IN_STAGES * plane_cross_entropy(stage.logits[own], local.offsets, offset, near)
        return torch.stack([depth, planes, stages])

    def own_figures(self, prediction: Prediction, batch: SceneBatch) -> dict[str, Tensor]:
        """Mean error of log depth."""
        if batch.inverse_depth is None:
            return {}
        return {
            "val/depth": log_depth_l1(
                prediction.output.log_depth, *self._true_log_depth(prediction.output, batch.inverse_depth)
            )
        }

    @property
    def _local_stages(self) -> tuple[DepthStage, DepthStage]:
        network = cast(NanoILRM, self.network)
        return network.fine, network.finest

    @property
    def _planes(self) -> Float[Tensor, " planes"]:
        return cast(NanoILRM, self.network).coarse_log_planes

    def _true_log_depth(self, output: NanoOutput, inverse_depth: Tensor) -> tuple[Tensor, Tensor]:
        """Log depth in reference lengths, and where it lies within the planes."""
        planes = self._planes
        truth = log_of_inverse(inverse_depth * output.unit[:, None, None, None], float(torch.exp(-planes[-1])))
        return truth, truth > planes[0]
