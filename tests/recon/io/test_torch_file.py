"""Files that would take more memory than they take on disk are refused before they are opened."""

import zipfile
from pathlib import Path

import pytest
import torch

from recon.errors import FormatError
from recon.io import torch_file
from recon.io.torch_file import require_no_more_than_on_disk


class Room:
    """Pickled as a call that makes many zeros from one number."""

    def __reduce__(self) -> tuple[type[bytearray], tuple[int]]:
        return bytearray, (1 << 20,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_call_for_room_is_refused(zipped: bool, tmp_path: Path) -> None:
    file = tmp_path / "a.pt"
    torch.save({"x": Room()}, file, _use_new_zipfile_serialization=zipped)
    assert len(torch.load(file, weights_only=True)["x"]) == 1 << 20  # the danger is real
    with pytest.raises(FormatError, match="asks for memory of its own"):
        require_no_more_than_on_disk(file)


@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_tensors_and_text_are_let_through(zipped: bool, tmp_path: Path) -> None:
    content = {"x": torch.arange(6), "names": ["bytearray", "builtins bytearray"], "y": [1, 2.0, None]}
    torch.save(content, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    require_no_more_than_on_disk(tmp_path / "a.pt")


def test_long_lists_and_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.pt"
    torch.save({"x": torch.arange(6)}, file)
    monkeypatch.setattr(torch_file, "MAX_PICKLE_BYTES", 10)
    with pytest.raises(FormatError, match="expected plain and at most 10"):
        require_no_more_than_on_disk(file)
    monkeypatch.setattr(torch_file, "MAX_MEMBERS", 2)
    with pytest.raises(FormatError, match="entries, expected at most 2"):
        require_no_more_than_on_disk(file)


def test_files_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "a.pt"
    file.write_bytes(b"PK\x03\x04 and then nothing of the kind")
    with pytest.raises(FormatError, match="present form"):
        require_no_more_than_on_disk(file)
    file.write_bytes(b"")
    require_no_more_than_on_disk(file)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 100_000)
    with pytest.raises(FormatError, match="is packed or unpacks to 100,000 bytes"):
        require_no_more_than_on_disk(file)
