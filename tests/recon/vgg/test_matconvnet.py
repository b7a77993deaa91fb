from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from recon.errors import CheckpointError
from recon.vgg.matconvnet import read_matconvnet
from recon.vgg.network import VGGFeatures
from tests.small_vgg import SMALL_VGG19, random_tensors


def cell(items: list) -> np.ndarray:
    array = np.empty((1, len(items)), object)
    array[0] = items
    return array


def matconvnet_layers(tensors: dict[str, torch.Tensor]) -> list[dict]:
    """Kernels as (height, width, in, out), biases as rows; ReLU and pooling layers have no weights."""
    layers = []
    for name in (name.removesuffix(".bias") for name in tensors if name.endswith(".bias")):
        weights, bias = np.empty((1, 2), object), tensors[f"{name}.bias"].numpy()[None]
        weights[0, 0], weights[0, 1] = tensors[f"{name}.weight"].permute(2, 3, 1, 0).numpy(), bias
        layers += [{"name": name, "type": "conv", "weights": weights}, {"name": "relu", "type": "relu"}]
    return layers


def saved(path: Path, layers: list[dict], *, compress: bool = False) -> Path:
    savemat(path, {"layers": cell(layers), "meta": {"author": "test"}}, do_compression=compress)
    return path


@pytest.mark.parametrize("compress", [False, True])
def test_weights_are_turned_to_the_order_of_torch(generator, tmp_path, compress):
    tensors = random_tensors(SMALL_VGG19, generator)
    network = read_matconvnet(saved(tmp_path / "vgg.mat", matconvnet_layers(tensors), compress=compress), SMALL_VGG19)
    pictures = torch.rand(1, 3, 32, 16, generator=generator)
    for found, wanted in zip(network(pictures), VGGFeatures(SMALL_VGG19, tensors)(pictures), strict=True):
        torch.testing.assert_close(found, wanted)


def test_other_files_are_refused(generator, tmp_path):
    tensors = random_tensors(SMALL_VGG19, generator)
    layers = matconvnet_layers(tensors)
    path = tmp_path / "vgg.mat"
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_matconvnet(path, SMALL_VGG19)
    with pytest.raises(CheckpointError, match="13 convolutions, expected at least 14"):
        read_matconvnet(saved(path, layers[:-2]), SMALL_VGG19)
    with pytest.raises(
        CheckpointError, match=r"features\.0 has weights \[3, 3, 4, 4\] and 4 biases, expected \[3, 3, 3, 4\]"
    ):
        read_matconvnet(saved(path, layers[2:] + layers[2:4]), SMALL_VGG19)
    savemat(path, {"other": 1})
    with pytest.raises(CheckpointError, match="not a MatConvNet network"):
        read_matconvnet(path, SMALL_VGG19)
    path.write_bytes(b"MATLAB 5.0" + bytes(200))
    with pytest.raises(CheckpointError, match="not a little-endian MATLAB file"):
        read_matconvnet(path, SMALL_VGG19)


def test_weights_that_are_not_finite_or_no_pairs_are_refused(generator, tmp_path):
    tensors = random_tensors(SMALL_VGG19, generator)
    tensors["features.5.bias"][1] = torch.nan
    with pytest.raises(CheckpointError, match=r"features\.5 has weights that are not finite"):
        read_matconvnet(saved(tmp_path / "vgg.mat", matconvnet_layers(tensors)), SMALL_VGG19)
    layers = matconvnet_layers(tensors)
    layers[0]["weights"] = np.zeros((1, 3))
    with pytest.raises(CheckpointError, match="no pair of weights and biases"):
        read_matconvnet(saved(tmp_path / "vgg.mat", layers), SMALL_VGG19)


def test_damaged_files_are_refused_in_words(generator, tmp_path):
    path = saved(tmp_path / "vgg.mat", matconvnet_layers(random_tensors(SMALL_VGG19, generator)), compress=True)
    data, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(40):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), 6):
            changed[place] = rng.integers(256)
        path.write_bytes(changed if rng.random() < 0.5 else data[: rng.integers(len(data))])
        try:
            read_matconvnet(path, SMALL_VGG19)
        except CheckpointError:
            refused += 1
    assert refused > 20


def test_a_small_file_that_unpacks_to_much_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "bomb.mat"
    savemat(path, {"layers": np.zeros(20_000_000, np.uint8)}, do_compression=True)
    assert path.stat().st_size < 100_000
    with pytest.raises(CheckpointError, match=r"unpacks to more than 10,000,000 bytes"):
        read_matconvnet(path, SMALL_VGG19, max_bytes=10_000_000)
    with pytest.raises(CheckpointError, match=r"expected at most 1,000"):
        read_matconvnet(path, SMALL_VGG19, max_bytes=1000)
