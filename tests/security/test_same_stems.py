"""F4: photographs of the same stem, in other folders, of other suffix or case, never overwrite each other."""

import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from recon.io.export import export_transforms
from recon.io.photographs.canvas import to_view_set
from recon.pipeline.loading import Source, open_source
from recon.types import Cameras, Gaussians, Provenance, Scene

FILES = [
    "a/x.jpg",
    "b/x.jpg",
    "b/X.jpg",
    "c/x.png",
    "c/x.webp",
    "c/x.JPG",
    "d/x-2.jpg",
    "d/x_.jpg",
    "d/x .jpg",
    "d/é.png",
]
FILES += ["d/e\u0301.png"]  # the same letter, spelled with a combining accent


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Pictures that differ in their level of grey."""
    for i, name in enumerate(FILES):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), (20 * i,) * 3).save(path)
    return tmp_path / "in"


def levels_of(source: Source) -> list[int]:
    return [round(float(photograph.pixels.mean()) / 20) for photograph in source.photographs]


def as_list(root: Path) -> Source:
    return open_source([root / name for name in FILES])


def as_pattern(root: Path) -> Source:
    return open_source(str(root / "*" / "*"))


def as_zip(root: Path) -> Source:
    with zipfile.ZipFile(root / "all.zip", "w") as archive:
        for name in FILES:
            archive.write(root / name, name)
    return open_source(root / "all.zip")


@pytest.mark.parametrize("load", [as_list, as_pattern, as_zip])
def test_all_photographs_are_there_under_distinct_names(load, root: Path):
    source = load(root)
    assert sorted(levels_of(source)) == list(range(len(FILES)))
    assert len({photograph.name.casefold() for photograph in source.photographs}) == len(FILES)


def test_all_photographs_are_exported(root: Path, tmp_path: Path):
    """Counted as a file system without case would: that is where one would take the place of another."""
    source = as_list(root)
    num = len(FILES)
    cameras = Cameras(
        torch.eye(4).repeat(num, 1, 1),
        torch.tensor([[32.0, 0, 16], [0, 32, 16], [0, 0, 1]]).repeat(num, 1, 1),
        torch.tensor([[32, 32]]).repeat(num, 1),
    )
    views = to_view_set(source.photographs, resolution=32, cameras=cameras)
    dot = Gaussians(
        torch.zeros(1, 3), torch.ones(1, 3), torch.tensor([[1.0, 0, 0, 0]]), torch.ones(1), torch.zeros(1, 1, 3)
    )
    out = tmp_path / "out"
    out.mkdir()
    files = export_transforms(Scene(views, dot, Provenance("none", "0" * 64, "given", {}, {}, 0)), out)
    pictures = [path for path in files if path.suffix == ".png"]
    assert len({str(path).casefold() for path in pictures}) == num
    found = [
        round(float(torch.tensor(list(Image.open(p).convert("L").get_flattened_data())).float().mean()) / 20)
        for p in pictures
    ]
    assert found == list(range(num))
