"""Training of iLRM-nano: as iLRM, and the depth of rendered rooms supervises its geometry."""

from typing import Any, ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor

from models.ilrm.module import ILRMModule, Prediction
from models.ilrm.nano.network import NanoILRM, NanoOutput
from recon.data.scene_batches import SceneBatch
from recon.losses.depth import log_depth_l1, log_of_inverse, plane_cross_entropy


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
        """Depth at full size and at 1/8, and the distribution over coarse planes; none where depth is not known."""
        if batch.inverse_depth is None:
            return {}
        output: NanoOutput = prediction.output
        planes = self._planes
        truth, valid = self._true_log_depth(output, batch.inverse_depth)
        coarse = (..., slice(4, None, 8), slice(4, None, 8))
        depths, entropies = [], []
        for i in range(len(truth)):
            coarse_truth, coarse_valid = truth[i][coarse], valid[i][coarse]
            depth = log_depth_l1(output.log_depth[i], truth[i], valid[i])
            depths.append(depth + log_depth_l1(output.coarse_log_depth[i], coarse_truth, coarse_valid))
            entropies.append(plane_cross_entropy(output.coarse_logits[i], planes, coarse_truth, coarse_valid))
        return {
            "depth": self.loss.depth * torch.stack(depths).mean(),
            "planes": self.loss.planes * torch.stack(entropies).mean(),
        }

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
    def _planes(self) -> Float[Tensor, " planes"]:
        return cast(NanoILRM, self.network).coarse_log_planes

    def _true_log_depth(self, output: NanoOutput, inverse_depth: Tensor) -> tuple[Tensor, Tensor]:
        """Log depth in reference lengths, and where it lies within the planes."""
        planes = self._planes
        truth = log_of_inverse(inverse_depth * output.unit[:, None, None, None], float(torch.exp(-planes[-1])))
        return truth, truth > planes[0]
