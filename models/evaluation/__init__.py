"""Novel-view evaluation of weights on a data set, by a fixed index of views, as the field does it.

index, data set -> samples -> network -> targets rendered -> PSNR, SSIM, LPIPS of each -> scene means -> their mean
"""

from models.evaluation.config import EvalConfig
from models.evaluation.evaluate import evaluate

__all__ = ["EvalConfig", "evaluate"]
