import pickle
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from recon.errors import CheckpointError
from recon.io.tensor_file import read_tensors

EXPECTED = {"a.weight": (2, 3), "a.bias": (2,)}


def tensors() -> dict[str, torch.Tensor]:
    return {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.tensor([0.5, -0.5])}


def saved(path: Path, content: object) -> Path:
    if path.suffix == ".safetensors":
        assert isinstance(content, dict)
        save_file(content, path)
    else:
        torch.save(content, path)
    return path


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt", "w.ckpt"])
def test_exactly_the_expected_tensors_are_read_as_float32(tmp_path, name):
    path = saved(tmp_path / name, {key: value.half() for key, value in tensors().items()})
    found = read_tensors(path, EXPECTED)
    assert list(found) == list(EXPECTED)
    for key, value in tensors().items():
        torch.testing.assert_close(found[key], value)


def test_files_of_old_torch_versions_are_read(tmp_path):
    path = tmp_path / "w.pth"
    state = OrderedDict((key, torch.nn.Parameter(value)) for key, value in tensors().items())
    torch.save(state, path, _use_new_zipfile_serialization=False)
    found = read_tensors(path, EXPECTED)
    torch.testing.assert_close(found["a.weight"], tensors()["a.weight"])
    assert not found["a.weight"].requires_grad


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_only_what_is_ignored_may_be_there_as_well(tmp_path, name):
    path = saved(tmp_path / name, tensors() | {"classifier.weight": torch.zeros(1)})
    assert set(read_tensors(path, EXPECTED, ignored=r"classifier\..*")) == set(EXPECTED)
    with pytest.raises(CheckpointError, match=r"missing nothing, unexpected classifier\.weight"):
        read_tensors(path, EXPECTED)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_what_lacks_or_differs_is_named(tmp_path, name):
    path = saved(tmp_path / name, tensors())
    many = EXPECTED | {f"b{i}": (1,) for i in range(5)}
    with pytest.raises(CheckpointError, match="missing b0, b1, b2 and 2 more, unexpected nothing"):
        read_tensors(path, many)
    with pytest.raises(CheckpointError, match=r"a\.weight has shape \[2, 3\], expected \[3, 2\]"):
        read_tensors(path, EXPECTED | {"a.weight": (3, 2)})
    saved(path, tensors() | {"a.bias": torch.tensor([1, 2])})
    with pytest.raises(CheckpointError, match=r"a\.bias holds torch\.int64, expected finite"):
        read_tensors(path, EXPECTED)
    saved(path, tensors() | {"a.bias": torch.tensor([1, torch.inf])})
    with pytest.raises(CheckpointError, match=r"a\.bias holds torch\.float32, expected finite"):
        read_tensors(path, EXPECTED)


class Harmful:
    def __reduce__(self):
        return (Path.touch, (Path("harm"),))


def test_no_code_of_the_file_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "w.pth"
    for write in (lambda: torch.save({"a": Harmful()}, path), lambda: path.write_bytes(pickle.dumps(Harmful()))):
        write()
        with pytest.raises(CheckpointError, match="not a file of tensors that torch reads with weights_only"):
            read_tensors(path, EXPECTED)
    assert not Path("harm").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.zeros(1)], "holds a list, expected a state dict"),
        ({1: torch.zeros(1)}, "holds a dict, expected a state dict"),
        ({"state_dict": tensors()}, "state_dict is a dict, expected a dense tensor"),
        ({"a": torch.eye(2).to_sparse()}, "a is a Tensor, expected a dense tensor"),
    ],
)
def test_other_contents_are_refused(tmp_path, content, message):
    with pytest.raises(CheckpointError, match=message):
        read_tensors(saved(tmp_path / "w.pth", content), EXPECTED)


def test_files_that_are_absent_damaged_large_or_of_another_kind_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        read_tensors(tmp_path / "absent.pth", EXPECTED)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_tensors(tmp_path / ("x" * 300 + ".pth"), EXPECTED)
    for name in ("w.safetensors", "w.pth"):
        path = saved(tmp_path / name, tensors())
        with pytest.raises(CheckpointError, match="expected at most 10"):
            read_tensors(path, EXPECTED, max_bytes=10)
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(CheckpointError, match="not a"):
            read_tensors(path, EXPECTED)
    (tmp_path / "w.onnx").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"expected \.safetensors or \.pth"):
        read_tensors(tmp_path / "w.onnx", EXPECTED)
