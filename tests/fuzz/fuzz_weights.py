"""A folder with a network: the input is `config.json`, a zero byte, and `model.safetensors`."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch

from models import hub
from models.ilrm.nano.config import NanoConfig
from models.ilrm.nano.network import NanoILRM

TINY = NanoConfig(dim=16, head_dim=8, num_layers=1, feature_dim=16, match_dim=8, coarse_planes=2, fine_planes=2)


def seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as name, torch.random.fork_rng():
        torch.manual_seed(0)
        folder = Path(name)
        hub.save_pretrained(folder, "ilrm-nano", NanoILRM(TINY), TINY)
        config, weights = ((folder / name).read_bytes() for name in ("config.json", "model.safetensors"))
    wrong = json.dumps({"network": "ilrm-nano", "config": asdict(TINY) | {"dim": 32}}).encode()
    header = b'{"x":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]}}'
    small = len(header).to_bytes(8, "little") + header + bytes(4)
    return [config + b"\0" + weights, config + b"\0" + small, wrong + b"\0" + small]


def feed(data: bytes, folder: Path) -> object:
    config, _, weights = data.partition(b"\0")
    (folder / "config.json").write_bytes(config)
    (folder / "model.safetensors").write_bytes(weights)
    return hub.load_pretrained(folder)
