import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from recon.errors import FormatError
from recon.io.splats.files import read_gaussians, write_gaussians
from recon.io.splats.splat import by_importance
from recon.types import Gaussians


def test_the_bytes_are_the_documented_ones(tmp_path: Path):
    gaussians = Gaussians(
        means=torch.tensor([[1.0, -2.0, 3.5]]),
        scales=torch.tensor([[0.5, 0.25, 2.0]]),
        quats=torch.tensor([[0.0, 0.6, 0.0, -0.8]]),
        opacities=torch.tensor([0.6]),
        sh=torch.tensor([[[0.0, 1.7724538509, -9.0]]]),  # colours 0.5, 1, below 0
    )
    write_gaussians(tmp_path / "x.splat", gaussians)
    expected = struct.pack("<6f", 1, -2, 3.5, 0.5, 0.25, 2) + bytes([128, 255, 0, 153, 128, 205, 128, 26])
    assert (tmp_path / "x.splat").read_bytes() == expected


def test_a_component_of_one_loses_nothing(tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    gaussians = make_gaussians(4, 0)
    gaussians.quats[:] = torch.eye(4)
    write_gaussians(tmp_path / "x.splat", gaussians)
    again = read_gaussians(tmp_path / "x.splat").quats
    assert torch.equal(again.abs(), by_importance(gaussians).quats)


def test_the_largest_and_most_opaque_come_first(tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    write_gaussians(tmp_path / "x.splat", make_gaussians(50, 0))
    again = read_gaussians(tmp_path / "x.splat")
    volume = again.scales.prod(1)
    rounding = 1.01 * (volume[:-1] + volume[1:]) * 0.5 / 255
    assert ((volume * again.opacities).diff() <= rounding).all()


def test_rows_are_whole(tmp_path: Path, make_gaussians: Callable[..., Gaussians]):
    path = tmp_path / "x.splat"
    write_gaussians(path, make_gaussians(2, 0))
    for wrong in (path.read_bytes()[:-1], path.read_bytes() + b"\0"):
        path.write_bytes(wrong)
        with pytest.raises(FormatError, match="multiple of 32"):
            read_gaussians(path)
