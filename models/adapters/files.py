"""An adapter on disk: `adapter.json` and `adapter.safetensors`, read strictly.

Some of what an adapter means is not in its numbers: frozen matrices and frequencies that are drawn from a seed,
singular vectors that another library may order otherwise. So the file also holds a few numbers of what the adapter does
to each weight, and reading compares.
"""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor, nn

from models.adapters.adapter import adapted_layers, adapter_parameters, add_adapter, remove_adapter, weight_change
from models.adapters.config import AdapterConfig
from models.config_json import config_from_json
from recon.errors import CheckpointError, InputError
from recon.io.atomic import atomic_write
from recon.io.json_file import read_json
from recon.io.limits import Limits
from recon.io.tensor_file import read_tensors

NUMBERS, SETTINGS = "adapter.safetensors", "adapter.json"
VERSION = 1
MAX_SETTINGS_BYTES = 64 * 1024
NUM_PROBES = 4
PROBE_TOLERANCE = 1e-4
"""Of a probe, relative to the size of the change. Rounding is below 1e-6; another change is far above, for a probe is
about half as large as the change itself."""


def save_adapter(
    folder: Path, network: nn.Module, config: AdapterConfig, *, network_name: str, weights_sha256: str
) -> None:
    """Write the adapter of a network, atomically file by file.

    Args:
        folder: Made if absent.
        network: With an adapter that is not merged.
        config: That it was added with.
        network_name: As in the `config.json` of the weights.
        weights_sha256: Of the weights that it belongs to; it means nothing on others.
    """
    tensors = {name: value.detach().to("cpu", torch.float32) for name, value in _values(network, config).items()}
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "version": VERSION, "network": network_name, "weights_sha256": weights_sha256, "adapter": asdict(config),
    }  # fmt: skip
    with atomic_write(folder / NUMBERS) as path:
        mode = path.stat().st_mode
        save_file({name: value.contiguous() for name, value in tensors.items()}, path, metadata={"format": "pt"})
        path.chmod(mode)  # safetensors makes a new file that nobody else may read
    with atomic_write(folder / SETTINGS) as path:
        path.write_text(json.dumps(settings, indent=2) + "\n")


def load_adapter(folder: Path, network: nn.Module, *, network_name: str, weights_sha256: str) -> AdapterConfig:
    """Add the adapter of a folder to a network; on any error the network stays as it was.

    Args:
        folder: That `save_adapter` wrote.
        network: Without an adapter.
        network_name: As in the `config.json` of its weights.
        weights_sha256: Of its weights.

    Returns:
        What it was added with; `merge_adapter` may follow.

    Raises:
        CheckpointError: The files are missing or damaged, or belong to other weights.
        InputError: The network has an adapter already.
        ResourceError: The kind needs peft, which is not installed.
    """
    config = _read_settings(folder / SETTINGS, network_name, weights_sha256)
    if adapted_layers(network):
        raise InputError("the network has an adapter already", hint="merge or remove it")
    try:
        add_adapter(network, config)
    except InputError as error:
        raise CheckpointError(f"{folder}: its adapter does not fit the network: {error.message}") from error
    try:
        _read_numbers(folder / NUMBERS, network, config)
    except CheckpointError:
        remove_adapter(network)
        raise
    return config


def _read_settings(file: Path, network_name: str, weights_sha256: str) -> AdapterConfig:
    if not file.is_file():
        raise CheckpointError(f"no {file.name} in {file.parent}", hint="give the folder of an adapter")
    try:
        content = read_json(file, limits=Limits(max_json_bytes=MAX_SETTINGS_BYTES))
        found = content["version"], content["network"], content["weights_sha256"]
        config = config_from_json(AdapterConfig, content["adapter"], within="adapter")
    except (InputError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file} does not describe an adapter: {error!r}") from error
    if found[0] != VERSION:
        raise CheckpointError(f"{file} is of version {str(found[0])[:20]}, expected {VERSION}")
    if found[1:] != (network_name, weights_sha256):
        given = f"{network_name} with sha256 {weights_sha256[:12]}"
        raise CheckpointError(
            f"{file} belongs to weights of {str(found[1])[:40]} with sha256 {str(found[2])[:12]}, found {given}",
            hint="name the weights that the adapter was trained on",
        )
    return config


@torch.no_grad()
def _read_numbers(file: Path, network: nn.Module, config: AdapterConfig) -> None:
    expected = {name: tuple(value.shape) for name, value in _values(network, config).items()}
    stored = read_tensors(file, expected)
    for name, parameter in adapter_parameters(network, config).items():
        parameter.copy_(stored[name])
    for name, wrapper in adapted_layers(network).items():
        change = weight_change(wrapper)
        allowed = PROBE_TOLERANCE * float(change.norm())
        if float((_probe(change) - stored[f"{name}.probe"]).abs().max()) > allowed:
            raise CheckpointError(
                f"{file}: the adapter of {name} does something else here than where it was saved",
                hint="its random numbers or singular vectors differ: use the versions of torch and peft that saved it",
            )


def _values(network: nn.Module, config: AdapterConfig) -> dict[str, Tensor]:
    """What is stored: trained numbers, and probes."""
    probes = {f"{name}.probe": _probe(weight_change(part)) for name, part in adapted_layers(network).items()}
    return {**adapter_parameters(network, config), **probes}


def _probe(change: Float[Tensor, "rows columns"]) -> Float[Tensor, " probes"]:
    """A few fixed bilinear forms of a matrix, by cosines of incommensurable frequencies."""
    matrix = change.detach().to("cpu", torch.float64)
    rows, columns = (torch.arange(1, side + 1, dtype=torch.float64) for side in matrix.shape)
    waves = torch.arange(1, NUM_PROBES + 1, dtype=torch.float64)[:, None].sqrt()
    return ((waves * rows).cos() @ matrix * (2**0.5 * waves * columns).cos()).sum(1).float()
