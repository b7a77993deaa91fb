"""Tables and plots of what was measured, put into a document."""

import os
from pathlib import Path

from app.benchmarks.blocks.curves import read_results
from app.benchmarks.blocks.document import put_section
from app.benchmarks.blocks.others.catalogue import read_figures
from app.benchmarks.blocks.others.table import others_markdown
from app.benchmarks.blocks.plots import draw_plots
from app.benchmarks.blocks.quality_table import quality_markdown
from app.benchmarks.blocks.speed_table import speed_markdown
from recon.errors import InputError
from recon.io.json_file import read_json

SPEED_COMMAND = "scripts/benchmark_blocks speed --out FOLDER"
QUALITY_COMMAND = "scripts/benchmark_blocks quality --data ROOMS --out FOLDER"
OTHERS_COMMAND = "scripts/benchmark_blocks others --data ROOMS --out FOLDER"


def report(
    document: Path, images: Path, *, runs: Path | None = None, speed: Path | None = None, others: Path | None = None
) -> list[Path]:
    """Write sections of a document, and plots beside it; what has no figures stays as it is.

    Args:
        document: Markdown.
        images: Folder of the plots, made if absent.
        runs: Folder of the quality study.
        speed: File of the speed figures.
        others: Folder of what is measured of other parts.

    Returns:
        The files that were written.

    Raises:
        InputError: There is nothing to report, or a file cannot be read.
    """
    if runs is None and speed is None and others is None:
        raise InputError("nothing to report", hint="name --runs FOLDER, --speed FILE or --others FOLDER")
    written: list[Path] = []
    if speed is not None:
        text = f"`{SPEED_COMMAND}`\n\n{speed_markdown(read_json(speed))}"
        put_section(document, "speed", "Speed", text)
    if runs is not None:
        found = read_results(runs)
        images.mkdir(parents=True, exist_ok=True)
        written = draw_plots(images, found.of)
        links = "\n".join(
            f"![{words}]({Path(os.path.relpath(path, document.parent)).as_posix()})"
            for path, words in zip(written, ("PSNR against CPU seconds", "PSNR against multiply-adds"), strict=True)
        )
        text = f"`{QUALITY_COMMAND}`\n\n{quality_markdown(found)}\n{links}"
        put_section(document, "quality", "Quality", text)
    if others is not None:
        text = f"`{OTHERS_COMMAND}`\n\n{others_markdown(*read_figures(others))}"
        put_section(document, "others", "Other parts", text)
    return [document, *written]
