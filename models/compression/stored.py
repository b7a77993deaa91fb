"""Weights on disk made smaller: a new folder, which every command takes that takes weights."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from models.compression.converting import convert_linears
from models.compression.experts import into_experts
from models.compression.inputs import record_input_rms
from models.compression.linears import PARTS, Part, block_linears
from models.compression.width import cut_width
from models.diagnostics import ActivationSource, run_on_captures
from models.forms import finalise
from models.hub import load_pretrained, save_pretrained, weights_folder
from models.layers.config import BlockConfig, LinearKind
from models.layers.linears import guides_count
from recon.errors import CheckpointError, InputError
from recon.io.atomic import check_output, staged_folder

NOTICE_FILE, CARD_FILE, WEIGHTS_FILE = "NOTICE.txt", "MODEL_CARD.md", "model.safetensors"
MAX_TERMS = 64 * 1024
"""Bytes that are taken over of what the source says of its terms."""

Run = Callable[[], object]


@dataclass(frozen=True)
class LinearTarget:
    """Which structured matrices a network is to have.

    Attributes:
        kind: Of matrices.
        budget: Share of the numbers of the matrices that may be used.
        blocks: Of block_dense and blast.
        parts: Of the blocks, that are converted.
        value_rank: As that of `convert_linears`.
    """

    kind: LinearKind
    budget: float = 0.5
    blocks: int = 4
    parts: tuple[Part, ...] = tuple(PARTS)
    value_rank: float = 1.0


@dataclass(frozen=True)
class WidthTarget:
    """How many hidden units the feed-forward layers are to keep.

    Attributes:
        width: Share, above 0 and at most 1.
    """

    width: float


@dataclass(frozen=True)
class ExpertsTarget:
    """How many experts the feed-forward layers are to be cut into.

    Attributes:
        experts: Of each layer; a token takes half of them.
    """

    experts: int


@dataclass(frozen=True)
class FormTarget:
    """Nothing but the form that is used, in which other targets write weights too."""


Target = LinearTarget | WidthTarget | ExpertsTarget | FormTarget


@dataclass(frozen=True)
class Change:
    """What was done to a network.

    Attributes:
        words: Says it.
        block: What its blocks are made of now.
        errors: Name of a layer -> relative error.
        error: Of all layers together.
        relative_to: What the errors are shares of, in words.
    """

    words: str
    block: BlockConfig
    errors: dict[str, float]
    error: float
    relative_to: str


@dataclass(frozen=True)
class Shrunk:
    """What came of it.

    Attributes:
        folder: Where the weights are.
        network: Which network they are of.
        config: Of the network, as it is now.
        change: What was done.
        parameters: Numbers of the network, before and after.
        file_bytes: Size of the weights, before and after.
        sha256: Hash of the weights, before and after.
    """

    folder: Path
    network: str
    config: Any
    change: Change
    parameters: tuple[int, int]
    file_bytes: tuple[int, int]
    sha256: tuple[str, str]


def shrink_weights(
    weights: str | Path,
    out: Path,
    target: Target,
    calibration: ActivationSource | None = None,
    *,
    overwrite: bool = False,
) -> Shrunk:
    """Make a trained network smaller and write it to a folder of its own, in the form that is used.

    Args:
        weights: Name of weights that ship, or a folder.
        out: Folder of the new weights; whole or not at all.
        target: What is to become of the matrices, or of the hidden units; or that nothing more is wanted than the form.
        calibration: Captures to see on what matters. Without, entries of matrices count alike, and hidden units are
            judged by random tokens.
        overwrite: Replace weights that `out` already holds.

    Raises:
        CheckpointError: There are no such weights.
        InputError: They cannot be made smaller so, or the captures cannot be used.
        ExportError: The folder cannot be written, or holds files and `overwrite` is False.
    """
    check_output(out, overwrite)
    source, place = load_pretrained(weights), weights_folder(weights)
    network = source.network
    dtype, before = _stored_type(network), _count(network)
    _require_faded(network, place)
    finalise(network)
    run = None if calibration is None else lambda: run_on_captures(source, calibration)
    config = cast(Any, network.config)
    change = _change(network, config.block, target, run)
    config = replace(config, block=change.block)
    check_output(out, overwrite, expected_bytes=4 * _count(network))
    with staged_folder(out, overwrite, sidecar="config.json") as staging:
        save_pretrained(staging, source.name, network, config, dtype=dtype)
        (staging / NOTICE_FILE).write_text(_notice(place, source.sha256, change.words), encoding="utf-8")
        written = _read_again(staging, change.words)
    sizes = ((place / WEIGHTS_FILE).stat().st_size, (out / WEIGHTS_FILE).stat().st_size)
    return Shrunk(out, source.name, config, change, (before, _count(network)), sizes, (source.sha256, written))


def _require_faded(network: nn.Module, place: Path) -> None:
    if guides_count(network):
        raise InputError(
            f"{place} holds self_guided matrices beside dense ones that still count",
            hint="train past the first half of the run, when they have faded out",
        )


def _change(network: nn.Module, block: BlockConfig, target: Target, run: Run | None) -> Change:
    if isinstance(target, LinearTarget):
        return _convert(network, block, target, run)
    if isinstance(target, WidthTarget):
        return _cut(network, block, target, run)
    if isinstance(target, ExpertsTarget):
        return _route(network, block, target, run)
    return Change("the form that is used", block, {}, 0.0, "what the network computes")


def _convert(network: nn.Module, block: BlockConfig, target: LinearTarget, run: Run | None) -> Change:
    dense = {name: x for part in block_linears(network, target.parts).values() for name, x in part.items()}
    rms = None if run is None else record_input_rms(dense, run)
    done = convert_linears(
        network, target.kind, target.budget,
        parts=target.parts, blocks=target.blocks, value_rank=target.value_rank, input_rms=rms,
    )  # fmt: skip
    squares = {name: _square(x.weight if rms is None else x.weight * rms[name]) for name, x in dense.items()}
    missed = sum(error**2 * squares[name] for name, error in done.errors.items())
    share = done.numbers_after / done.numbers_before
    made = {part: replace(getattr(block, part), linear=linear) for part, linear in done.configs.items()}
    if "attention" in made:
        made["attention"] = replace(made["attention"], value_rank=target.value_rank)
    return Change(
        f"{' and '.join(done.configs)} matrices as {target.kind} with {share:.1%} of their numbers",
        replace(block, **made),
        done.errors,
        math.sqrt(missed / max(sum(squares.values()), sys.float_info.min)),
        "the entries of the matrices" if run is None else "what the matrices give on the captures",
    )


def _cut(network: nn.Module, block: BlockConfig, target: WidthTarget, run: Run | None) -> Change:
    done = cut_width(network, target.width, run)
    kind = "gelu" if block.feed_forward.kind == "nested" else block.feed_forward.kind
    ratio = block.feed_forward.ratio if target.width == 1 else done.ratio
    return Change(
        f"feed-forward layers with {done.units} hidden units",
        replace(block, feed_forward=replace(block.feed_forward, kind=kind, ratio=ratio)),
        done.errors,
        done.error,
        f"what the feed-forward layers add on {'random tokens' if run is None else 'the captures'}",
    )


def _route(network: nn.Module, block: BlockConfig, target: ExpertsTarget, run: Run | None) -> Change:
    done = into_experts(network, target.experts, run)
    return Change(
        f"feed-forward layers as {target.experts} experts, of which a token takes {done.top}",
        replace(block, feed_forward=replace(block.feed_forward, kind="routed", experts=target.experts)),
        done.errors,
        done.error,
        f"what the feed-forward layers add on {'random tokens' if run is None else 'the captures'}",
    )


def _read_again(folder: Path, change: str) -> str:
    """Hash of weights that a network of their config takes."""
    try:
        return load_pretrained(folder).sha256
    except CheckpointError as error:
        raise InputError(
            f"no network can be built with {change}: {error.message}", hint="choose another kind, or one of the parts"
        ) from error


def _stored_type(network: nn.Module) -> torch.dtype:
    """float16 if that is what the weights were read from, else float32."""
    weights = [value for value in network.state_dict().values() if value.is_floating_point()]
    half = all(torch.equal(value.half().float(), value) for value in weights)
    return torch.float16 if half else torch.float32


def _notice(source: Path, sha256: str, change: str) -> str:
    terms = next((source / name for name in (NOTICE_FILE, CARD_FILE) if (source / name).is_file()), None)
    said = "states no terms."
    if terms is not None:
        with terms.open("rb") as file:
            said = f"says ({terms.name}):\n\n{file.read(MAX_TERMS).decode('utf-8', 'replace')}"
    return f"Made from weights with sha256 {sha256}: {change}.\n\nThe source {said.rstrip()}\n"


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _square(tensor: torch.Tensor) -> float:
    return float(tensor.detach().double().square().sum())
