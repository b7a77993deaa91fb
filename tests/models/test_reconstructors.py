from pathlib import Path

import pytest
import torch

from models.hub import NETWORKS, save_pretrained
from models.ilrm.config import ILRMConfig
from models.ilrm.nano.reconstructor import NanoReconstructor
from models.ilrm.network import ILRM
from models.ilrm.reconstructor import ILRMReconstructor
from models.reconstructors import RECONSTRUCTORS, load_reconstructor
from recon.errors import CheckpointError
from recon.pipeline.protocols import GaussianReconstructor


def test_weights_say_what_reconstructs(tmp_path: Path) -> None:
    config = ILRMConfig(dim=32, head_dim=16, num_layers=1)
    save_pretrained(tmp_path / "mine", "ilrm", ILRM(config), config)
    found = [load_reconstructor(name, torch.device("cpu")) for name in (str(tmp_path / "mine"), "ilrm-nano")]
    assert [type(r) for r in found] == [ILRMReconstructor, NanoReconstructor]
    assert all(isinstance(r, GaussianReconstructor) for r in found)
    assert [r.name for r in found] == ["ilrm", "ilrm-nano"]
    assert found[0].weights_sha256 != found[1].weights_sha256


def test_every_network_that_makes_gaussians_can_be_used() -> None:
    assert RECONSTRUCTORS.keys() <= NETWORKS.keys()


def test_missing_weights_are_a_checkpoint_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="ilrm-nano"):
        load_reconstructor(str(tmp_path), torch.device("cpu"))
