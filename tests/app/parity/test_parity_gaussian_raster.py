from pathlib import Path

import pytest
import torch

from app.parity.gaussian_raster import check_gaussian_raster
from app.parity.report import TensorError
from recon.render import RasterConfig, get_rasterizer

FOLDERS = sorted((Path(__file__).parents[2] / "fixtures" / "gaussian_raster").iterdir())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["cpu", "torch", "oracle"])
def test_rasterisers_reproduce_gsplat(folder, dtype, name):
    errors = check_gaussian_raster(folder, rasterizer=get_rasterizer(name), dtype=dtype)
    assert len(errors) == 9
    assert [error for error in errors if not error.ok] == []


def test_another_cap_of_alpha_is_noticed():
    cpu = get_rasterizer("cpu")

    def capped(*args, **kwargs):
        return cpu(*args, **kwargs | {"config": RasterConfig(max_alpha=0.9)})

    folder = next(folder for folder in FOLDERS if folder.name == "rgb_opaque")
    errors = check_gaussian_raster(folder, rasterizer=capped)  # pyright: ignore[reportArgumentType]
    assert not all(error.ok for error in errors)


def test_nan_is_not_ok():
    assert not TensorError("image", float("nan"), 1.0).ok
