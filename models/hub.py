"""Networks on disk: a folder with `config.json` and `model.safetensors`, read strictly."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.network import NanoILRM
from recon.errors import CheckpointError
from recon.io.atomic import atomic_write

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT_GAUSSIANS = "ilrm-nano"

NETWORKS: dict[str, tuple[type, Callable[[Any], nn.Module]]] = {"ilrm-nano": (NanoConfig, NanoILRM)}
"""Name in `config.json` -> (config class, network class)."""


class Pretrained(NamedTuple):
    """A network with its weights, ready for inference."""

    name: str
    network: nn.Module
    sha256: str


def save_pretrained(folder: Path, name: str, network: nn.Module, config: Any) -> None:
    """Write a network as float16 weights and its config, atomically file by file."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: value.detach().to("cpu", torch.float16).contiguous() for key, value in network.state_dict().items()}
    with atomic_write(folder / "model.safetensors") as path:
        save_file(state, path, metadata={"format": "pt"})
    with atomic_write(folder / "config.json") as path:
        path.write_text(json.dumps({"network": name, "config": asdict(config)}, indent=2) + "\n")


def load_pretrained(folder: str | Path = DEFAULT_GAUSSIANS) -> Pretrained:
    """Read a network from a folder, or by the name of one that ships.

    Raises:
        CheckpointError: Missing files, an unknown network, unknown or missing settings, weights of another shape.
    """
    given = Path(folder)
    path = given if given.is_dir() else WEIGHTS / str(folder)
    weights, config_file = path / "model.safetensors", path / "config.json"
    for file in (weights, config_file):
        if not file.is_file():
            shipped = sorted(p.name for p in WEIGHTS.iterdir() if p.is_dir())
            raise CheckpointError(f"no {file.name} in {path}", hint=f"give a folder, or one of {', '.join(shipped)}")
    name, config = _read_config(config_file)
    network = NETWORKS[name][1](config)
    try:
        state = {key: value.float() for key, value in load_file(weights).items()}
        network.load_state_dict(state, strict=True)
    except (SafetensorError, RuntimeError) as error:
        raise CheckpointError(f"{weights} does not hold the weights of {name}: {error}") from error
    return Pretrained(name, network.eval(), hashlib.sha256(weights.read_bytes()).hexdigest())


def _read_config(file: Path) -> tuple[str, Any]:
    try:
        content = json.loads(file.read_text())
        name, settings = content["network"], content["config"]
        return name, NETWORKS[name][0](**settings)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        known = ", ".join(NETWORKS)
        raise CheckpointError(
            f"{file} is not the config of a known network: {error!r}", hint=f"known networks: {known}"
        ) from error
