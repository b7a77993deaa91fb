"""What an evaluation leaves on disk."""

import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from recon.data.evaluation import EvaluationSample
from recon.io.atomic import atomic_write
from recon.io.json_file import write_json
from recon.metrics.scores import SceneScores, table


def write_results(out: Path, report: dict[str, Any], scenes: list[SceneScores]) -> None:
    """`scores.json` with everything, `scenes.csv` with a row for each capture and one for their mean."""
    write_json(out / "scores.json", report)
    with atomic_write(out / "scenes.csv") as path, path.open("w", newline="") as file:
        csv.writer(file).writerows(table(scenes, digits=6))


def draw_comparison(
    out: Path, number: int, sample: EvaluationSample, rendered: Float[Tensor, "targets 3 height width"]
) -> None:
    """Photographs above predictions, and below them what was given: `000_NAME.png`."""
    rows = [
        torch.cat(list(images), dim=2) for images in (sample.target.images, rendered.clamp(0, 1), sample.context.images)
    ]
    widest = max(row.shape[2] for row in rows)
    rows = [torch.nn.functional.pad(row, (0, widest - row.shape[2]), value=1.0) for row in rows]
    pixels = (torch.cat(rows, dim=1).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in sample.name)[:80]
    with atomic_write(out / f"{number:03d}_{name}.png") as path:
        path.write_bytes(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes())
