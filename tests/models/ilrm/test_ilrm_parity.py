import pytest
import torch

from app.parity.ilrm import check_ilrm
from models.ilrm.config import DL3DV_WIDE, RE10K_2VIEW
from models.ilrm.network import ILRM
from models.ilrm.state_dict import from_published
from recon.errors import CheckpointError


@pytest.mark.parametrize("name", ["ilrm_main", "ilrm_wide"])
def test_recorded_numbers_of_the_reference_are_reproduced(fixtures, name):
    errors = check_ilrm(fixtures / name)
    assert len(errors) >= 17
    assert [e for e in errors if not e.ok] == []


@pytest.mark.parametrize(("config", "millions"), [(RE10K_2VIEW, 171.34), (DL3DV_WIDE, 185.89)])
def test_published_sizes_have_the_published_number_of_parameters(config, millions):
    with torch.device("meta"):
        network = ILRM(config)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


def test_a_foreign_name_is_refused():
    with pytest.raises(CheckpointError, match="no published iLRM release"):
        from_published({"backbone.layer1.weight": torch.zeros(1)})
