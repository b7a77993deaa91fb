from dataclasses import replace

import pytest
import torch

from app.parity.ilrm import check_ilrm
from models.ilrm.config import DL3DV_WIDE, RE10K_2VIEW, ILRMConfig
from models.ilrm.network import ILRM
from models.ilrm.state_dict import from_published
from recon.errors import CheckpointError


def published(config: ILRMConfig) -> dict[str, torch.Tensor]:
    """A state dict in the names of the release that the config belongs to."""
    wide = config.rays == "origin"
    names = {"viewpoint_tokenizer.0": "viewpoint_tokenizer.1", "viewpoint_tokenizer.1": "viewpoint_tokenizer.2"}
    names |= {"image_tokenizer.0": "image_tokenizer.1", "image_tokenizer.1": "image_tokenizer.2"}
    names |= {"token_decoder.": "viewpoint_token_decoder."}
    if not wide:
        names = {"viewpoint_tokenizer.0": "scaler.input_tokenizer", "viewpoint_tokenizer.1": "scaler.input_layernorm"}
        names |= {"image_tokenizer.0": "scaler.support_tokenizer", "image_tokenizer.1": "scaler.support_layernorm"}
        names |= {"processor.": "scaler.processor.", "token_decoder.": "scaler.token_decoder."}
    state = ILRM(config).state_dict()
    prefixes = {key: next((p for p in names if key.startswith(p)), "") for key in state}
    return {names.get(p, "") + key.removeprefix(p): state[key] for key, p in prefixes.items()}


@pytest.mark.parametrize("name", ["ilrm_main", "ilrm_wide"])
def test_recorded_numbers_of_the_reference_are_reproduced(fixtures, name):
    errors = check_ilrm(fixtures / name)
    assert len(errors) >= 17
    assert [e for e in errors if not e.ok] == []


def test_a_foreign_name_is_refused():
    with pytest.raises(CheckpointError, match="no published iLRM release"):
        from_published({"backbone.layer1.weight": torch.zeros(1)})


@pytest.mark.parametrize("config", [ILRMConfig(patch=4, uplift=2), replace(DL3DV_WIDE, patch=16, uplift=1)])
def test_sizes_are_read_from_the_weights(config):
    config = replace(config, dim=32, head_dim=16, num_layers=1)
    assert from_published(published(config))[0] == config


@pytest.mark.parametrize("config", [RE10K_2VIEW, DL3DV_WIDE])
def test_the_published_sizes_are_read_as_they_are(config):
    with torch.device("meta"):
        assert from_published(published(config))[0] == config


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("viewpoint_tokenizer.1.weight", (32, 9 * 50)),
        ("processor.blocks.0.read_cross.q.weight", (48, 32)),
        ("processor.blocks.0.read_cross.q_norm.weight", ()),
    ],
)
def test_weights_that_no_size_explains_are_refused(name, shape):
    state = published(replace(DL3DV_WIDE, dim=32, head_dim=16, num_layers=1))
    with pytest.raises(CheckpointError):
        from_published(state | {name: torch.zeros(shape)})
    del state[name]
    with pytest.raises(CheckpointError, match="no matrix"):
        from_published(state)
