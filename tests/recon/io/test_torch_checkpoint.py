import os
import sys
import zipfile
from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import torch

from recon.errors import CheckpointError
from recon.io import torch_checkpoint
from recon.io.torch_checkpoint import StandIn, read_torch_checkpoint
from tests.published_files import STRANGERS, save_with_strangers

WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2])}


class Calls:
    """Pickled as a call of a function, which unpickling would make."""

    def __init__(self, function: Callable[..., Any], *arguments: Any):
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


class ListOfTheirs(list):
    """A container that only its own program can fill."""


def test_tensors_come_back_bit_by_bit_beside_objects_of_strangers(tmp_path: Path) -> None:
    save_with_strangers({"weights": WEIGHTS, "path": PurePosixPath("x"), "options": Namespace(a=1)}, tmp_path / "a.pt")
    content, foreign = read_torch_checkpoint(tmp_path / "a.pt")
    assert all(torch.equal(content["weights"][name], value) for name, value in WEIGHTS.items())
    assert set(foreign) == {"argparse.Namespace", "pathlib.PurePosixPath", f"{STRANGERS}.Settings"}
    strangers = [content[name] for name in ("path", "options", "hyper_parameters")]
    assert [(type(s), vars(s)) for s in strangers] == [(StandIn, {})] * 3


def test_default_dicts_come_back_as_dicts(tmp_path: Path) -> None:
    counts = defaultdict(int)
    counts["x"] += 2
    torch.save({"counts": counts}, tmp_path / "a.pt")
    assert read_torch_checkpoint(tmp_path / "a.pt").content == {"counts": {"x": 2}}


def test_stand_ins_are_gone_after_the_file_is_read(tmp_path: Path) -> None:
    save_with_strangers(WEIGHTS, tmp_path / "a.pt")
    before = set(torch.serialization.get_safe_globals())
    read_torch_checkpoint(tmp_path / "a.pt")
    assert set(torch.serialization.get_safe_globals()) == before


def save_call(folder: Path, function: Callable[..., Any], argument: Any) -> Path:
    torch.save({"weights": WEIGHTS, "x": Calls(function, argument)}, folder / "a.pt")
    return folder / "a.pt"


@pytest.mark.parametrize(("function", "name"), [(os.system, "system"), (os.mkdir, "mkdir"), (Path.touch, "getattr")])
def test_calls_that_have_no_stand_in_are_refused(function: Callable[..., Any], name: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    argument = {os.system: f"touch {canary}", os.mkdir: str(canary), Path.touch: canary}[function]
    with pytest.raises(CheckpointError, match=name):
        read_torch_checkpoint(save_call(tmp_path, function, argument))
    assert not canary.exists()


@pytest.mark.parametrize("function", [eval, exec, __import__, open])
def test_calls_make_stand_ins_and_nothing_else(function: Callable[..., Any], tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    argument = {open: str(canary), __import__: "antigravity"}.get(function, f"open({str(canary)!r}, 'w')")
    content = read_torch_checkpoint(save_call(tmp_path, function, argument)).content
    assert type(content["x"]) is StandIn
    assert not canary.exists()
    assert "antigravity" not in sys.modules


def test_a_canary_would_be_seen(tmp_path: Path) -> None:
    torch.save({"x": Calls(os.system, f"touch {tmp_path / 'canary'}")}, tmp_path / "a.pt")
    torch.load(tmp_path / "a.pt", weights_only=False)
    assert (tmp_path / "canary").exists()


def test_what_no_stand_in_can_replace_is_refused_by_name(tmp_path: Path) -> None:
    torch.save({"weights": WEIGHTS, "x": ListOfTheirs([1])}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"Can only .* lists.*ListOfTheirs"):
        read_torch_checkpoint(tmp_path / "a.pt")


def test_the_number_of_foreign_classes_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_checkpoint, "MAX_FOREIGN_NAMES", 1)
    torch.save({"a": PurePosixPath("x"), "b": Namespace()}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="2 classes of other programs, expected at most 1"):
        read_torch_checkpoint(tmp_path / "a.pt")


def test_names_that_would_steer_a_terminal_are_refused(tmp_path: Path) -> None:
    torch.save({"x": Namespace()}, tmp_path / "a.pt")
    rewrite(tmp_path / "a.pt", lambda data: data.replace(b"cargparse\nNamespace\n", b"cargparse\n\x1b[2Jspace\n"))
    with pytest.raises(CheckpointError, match=r"\\x1b"):
        read_torch_checkpoint(tmp_path / "a.pt")


def test_packed_entries_are_refused(tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / "a.pt")
    rewrite(tmp_path / "a.pt", lambda data: data, packed=True)
    with pytest.raises(CheckpointError, match="packed"):
        read_torch_checkpoint(tmp_path / "a.pt")


def test_size_is_bounded(tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="expected at most 100"):
        read_torch_checkpoint(tmp_path / "a.pt", max_bytes=100)


def test_other_files_are_checkpoint_errors(tmp_path: Path) -> None:
    file = tmp_path / "a.pt"
    with pytest.raises(CheckpointError, match="no such file"):
        read_torch_checkpoint(file)
    torch.save(WEIGHTS, file)
    whole = file.read_bytes()
    torch.save(WEIGHTS, file, _use_new_zipfile_serialization=False)
    for content in (file.read_bytes(), b"", b"PK\x03\x04", whole[:-30], whole[: len(whole) // 2]):
        file.write_bytes(content)
        with pytest.raises(CheckpointError, match="present form"):
            read_torch_checkpoint(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02cos\nsystem\n.")
    with pytest.raises(CheckpointError):
        read_torch_checkpoint(file)


def rewrite(file: Path, change: Callable[[bytes], bytes], *, packed: bool = False) -> None:
    """Write a checkpoint anew with another pickle inside."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, data in entries.items():
            archive.writestr(name, change(data) if name.endswith("data.pkl") else data)
