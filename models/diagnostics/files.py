"""A diagnosis as a table for other programs, and as a picture."""

import csv
from dataclasses import asdict, fields
from pathlib import Path

from models.diagnostics.diagnosis import Diagnosis, LayerFigures
from models.diagnostics.plot import draw
from recon.io.atomic import staged_folder

TABLE, PICTURE = "layers.csv", "layers.png"


def write_diagnosis(folder: Path, diagnosis: Diagnosis, title: str, *, overwrite: bool = False) -> list[Path]:
    """Write `layers.csv` and `layers.png`, both or none.

    Args:
        folder: Made if absent.
        diagnosis: What to write; figures that are not known are empty cells.
        title: Of the picture.
        overwrite: Replace files that the folder already holds.

    Raises:
        ExportError: The folder holds files, or the disk does not take these.
    """
    with staged_folder(folder, overwrite, sidecar=TABLE) as staging:
        with (staging / TABLE).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(LayerFigures)])
            writer.writeheader()
            writer.writerows(asdict(row) for row in diagnosis.layers)
        draw(staging / PICTURE, diagnosis, title)
    return [folder / TABLE, folder / PICTURE]
