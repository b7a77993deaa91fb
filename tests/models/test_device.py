import pytest
import torch

from models.device import pick_device
from recon.errors import InputError, ResourceError


def test_the_device_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [str(pick_device(name)) for name in ("auto", "cpu", "cuda", "cuda:1")] == ["cuda", "cpu", "cuda", "cuda:1"]
    with pytest.raises(ResourceError, match="cuda:0 to cuda:1"):
        pick_device("cuda:2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto").type == "cpu"
    with pytest.raises(ResourceError, match="no CUDA"):
        pick_device("cuda")


@pytest.mark.parametrize("name", ["", "foo", "meta", "mps", "cuda:", "cuda:-1", "cuda:x", "cpu:0:1"])
def test_other_kinds_of_device_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="expected auto, cpu, cuda or cuda:N"):
        pick_device(name)
