"""From a published checkpoint to a folder that `load_pretrained` reads.

To add a network: write a reader of its checkpoints that gives `PublishedWeights`, and enter it into `PUBLISHED`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch

from models.hub import save_pretrained, sha256_of
from models.ilrm import published as ilrm
from models.published.weights import PublishedWeights
from recon.errors import CheckpointError, InputError
from recon.io.atomic import check_output, staged_folder

NOTICE_FILE = "NOTICE.txt"


class Publication(NamedTuple):
    """A network whose authors publish weights.

    Attributes:
        read: Reader of their files.
        notice: What the authors say about the use of the weights.
    """

    read: Callable[[Path], PublishedWeights]
    notice: str


PUBLISHED: dict[str, Publication] = {"ilrm": Publication(ilrm.read_published, ilrm.NOTICE)}
"""By the name that the network has in `NETWORKS`."""


class Imported(NamedTuple):
    """What was converted.

    Attributes:
        folder: Where the weights are.
        variant: Which of the published networks it is, in words.
        source_sha256: Hash of the file that was read.
        weights_sha256: Hash of the file that was written.
        left_out: What else the checkpoint held, in words.
        notice: What the authors say about the use of the weights.
    """

    folder: Path
    variant: str
    source_sha256: str
    weights_sha256: str
    left_out: tuple[str, ...]
    notice: str


def import_weights(
    name: str,
    file: Path,
    out: Path,
    *,
    overwrite: bool = False,
    published: Mapping[str, Publication] = PUBLISHED,
) -> Imported:
    """Convert a published checkpoint: weights in float32, none of them rounded, config and the authors' terms.

    Args:
        name: Network, one of `published`.
        file: As it was published.
        out: Folder of the converted weights; whole or not at all.
        overwrite: Replace weights that it already holds.
        published: Networks by name, with the reader of their files.

    Raises:
        InputError: There is no such network.
        CheckpointError: The file does not hold its weights, or cannot be read without running code of it.
        ExportError: The folder cannot be written, or holds files and `overwrite` is False.
    """
    if name not in published:
        raise InputError(f"there are no published weights of {name!r}", hint=f"choose one of {', '.join(published)}")
    publication = published[name]
    check_output(out, overwrite)
    weights = publication.read(file)
    size = sum(4 * parameter.numel() for parameter in weights.network.parameters())
    check_output(out, overwrite, expected_bytes=size)
    source_sha256 = _hash_of_source(file)
    notice = f"Converted from {ascii(file.name)[1:-1]}, sha256 {source_sha256}.\n\n{publication.notice}\n"
    with staged_folder(out, overwrite, sidecar="config.json") as folder:
        save_pretrained(folder, name, weights.network, weights.config, dtype=torch.float32)
        (folder / NOTICE_FILE).write_text(notice, encoding="utf-8")
        weights_sha256 = sha256_of(folder / "model.safetensors")
    return Imported(out, weights.variant, source_sha256, weights_sha256, weights.left_out, publication.notice)


def _hash_of_source(file: Path) -> str:
    try:
        return sha256_of(file)
    except OSError as error:
        raise CheckpointError(f"{file}: the file cannot be read ({error})") from error
