"""Networks on disk: a folder with `config.json` and `model.safetensors`, read strictly."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from models.config_json import config_from_json
from models.forms import Form, block_of_use, finalise, form_of
from models.ilrm.config import ILRMConfig
from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.network import NanoILRM
from models.ilrm.network import ILRM
from models.layers.config import BlockConfig
from models.settings import fault_in_sizes
from recon.errors import CheckpointError, InputError
from recon.io.atomic import atomic_write
from recon.io.json_file import read_json
from recon.io.limits import Limits

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT_GAUSSIANS = "ilrm-nano"
MAX_CONFIG_BYTES = 64 * 1024

NETWORKS: dict[str, tuple[type, Callable[[Any], nn.Module]]] = {
    "ilrm-nano": (NanoConfig, NanoILRM),
    "ilrm": (ILRMConfig, ILRM),
}
"""Name in `config.json` -> (config class, network class)."""


class Pretrained(NamedTuple):
    """A network with its weights, ready for inference."""

    name: str
    network: nn.Module
    sha256: str


def save_pretrained(
    folder: Path, name: str, network: nn.Module, config: Any, *, dtype: torch.dtype = torch.float16
) -> None:
    """Write the weights of a network and its config, atomically file by file.

    Args:
        folder: Made if absent.
        name: In `NETWORKS`.
        network: In any form (`models.forms`), which the config file tells. Its weights are rounded to `dtype`; packed
            bits stay as they are.
        config: That it was built from.
        dtype: float16 halves the file; published weights are kept as they are in float32.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        key: value.detach().to("cpu", dtype if value.is_floating_point() else value.dtype).contiguous()
        for key, value in network.state_dict().items()
    }
    with atomic_write(folder / "model.safetensors") as path:
        mode = path.stat().st_mode
        save_file(state, path, metadata={"format": "pt"})
        path.chmod(mode)  # safetensors makes a new file that nobody else may read
    content = {"network": name, "form": form_of(network), "config": asdict(config)}
    with atomic_write(folder / "config.json") as path:
        path.write_text(json.dumps(content, indent=2) + "\n")


def load_pretrained(folder: str | Path = DEFAULT_GAUSSIANS) -> Pretrained:
    """Read a network by the name of one that ships, or from a folder.

    Args:
        folder: A plain word that names a shipped network means that one, whatever the current folder holds; everything
            else is a folder.

    Raises:
        CheckpointError: Missing files, an unknown network, unknown or unusable settings, weights of another shape.
    """
    weights, config_file = _files(folder)
    name, form, config = _read_config(config_file)
    network = _build(name, form, config, weights)
    try:
        network.load_state_dict(load_file(weights), strict=True)
        sha256 = sha256_of(weights)
    except (SafetensorError, RuntimeError, OSError) as error:
        raise CheckpointError(f"{weights} does not hold the weights of {name}: {error}") from error
    return Pretrained(name, network.eval(), sha256)


def network_name(folder: str | Path) -> str:
    """Which network the weights in a folder are of, by the name or the folder that `load_pretrained` takes.

    Raises:
        CheckpointError: Missing files, or a config that no known network has.
    """
    return _read_config(_files(folder)[1])[0]


def weights_folder(folder: str | Path) -> Path:
    """Where weights lie, by the name or the folder that `load_pretrained` takes.

    Raises:
        CheckpointError: Missing files.
    """
    return _files(folder)[0].parent


def sha256_of(file: Path) -> str:
    """Hash of a file of any size, in hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def shipped_names() -> list[str]:
    """Networks that came with the installation."""
    return sorted(path.parent.name for path in WEIGHTS.glob("*/config.json"))


def _files(folder: str | Path) -> tuple[Path, Path]:
    """Weights and config, both there."""
    shipped = shipped_names()
    path = WEIGHTS / str(folder) if str(folder) in shipped else Path(folder)
    weights, config_file = path / "model.safetensors", path / "config.json"
    for file in (weights, config_file):
        if not file.is_file():
            hint = f"give a folder, or one of {', '.join(shipped)}" if shipped else "give a folder; none ship here"
            raise CheckpointError(f"no {file.name} in {path}", hint=hint)
    return weights, config_file


def _read_config(file: Path) -> tuple[str, Form, Any]:
    """Name, form and settings, of the right types and sizes."""
    try:
        content = read_json(file, limits=Limits(max_json_bytes=MAX_CONFIG_BYTES))
        name, form, settings = content["network"], content.get("form", "training"), content["config"]
        config = config_from_json(NETWORKS[name][0], settings)
    except (InputError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{file} is not the config of a known network: {error!r}", hint=f"known networks: {', '.join(NETWORKS)}"
        ) from error
    fault = _fault_in_form(form, config.block) or fault_in_sizes(config)
    if fault:
        raise CheckpointError(f"{file}: {fault}", hint="give the config that the weights were written with")
    return name, form, config


def _fault_in_form(form: Any, block: BlockConfig) -> str | None:
    """What is wrong with the form that a file states, in words, or None."""
    if form not in get_args(Form):
        return f"form is {str(form)[:60]!r}, expected one of {', '.join(get_args(Form))}"
    if form == "use" and block != block_of_use(block):
        return "form is use, in which there are no self_guided matrices and no weight_condition"
    return None


def _build(name: str, form: Form, config: Any, weights: Path) -> nn.Module:
    """The network, allocated only once the header of the file is known to list exactly its tensors."""
    try:
        with torch.device("meta"):
            state = _make(name, form, config).state_dict()
    except InputError as error:
        raise CheckpointError(f"no {name} can be built for {weights}: {error.message}", hint=error.hint) from error
    try:
        with safe_open(weights, framework="pt") as stored:
            slices = {key: stored.get_slice(key) for key in stored.keys()}  # noqa: SIM118
            found = {key: _told(part.get_shape(), part.get_dtype()) for key, part in slices.items()}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{weights} is not a safetensors file: {error}") from error
    expected = {key: _told(value.shape, "F" if value.is_floating_point() else "U8") for key, value in state.items()}
    differing = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
    if differing:
        key = differing[0]
        raise CheckpointError(
            f"{weights} does not hold the weights of {name}: {len(differing)} tensors differ; "
            f"{key} has shape {found.get(key, 'none')}, expected {expected.get(key, 'none')}"
        )
    return _make(name, form, config)


def _make(name: str, form: Form, config: Any) -> nn.Module:
    network = NETWORKS[name][1](config)
    if form == "use":
        finalise(network)
    return network


def _told(shape: Sequence[int], dtype: str) -> str:
    """Shape of a tensor, and its type if it holds no weights."""
    return f"{list(shape)}" if dtype.startswith(("F", "BF")) else f"{list(shape)} of {dtype}"
