import pytest
import torch
from safetensors.torch import load_file, save_file
from torchmetrics.functional.image import lpips as reference

from recon.errors import CheckpointError
from recon.metrics.lpips import heads_of_torchmetrics, read_lpips
from recon.vgg.network import VGG16_LPIPS
from tests.small_vgg import SMALL_VGG16, WIDTHS, as_sequence, random_tensors


@pytest.fixture
def files(tmp_path, generator):
    """Backbone and heads with few channels."""
    backbone, heads = tmp_path / "vgg16.safetensors", tmp_path / "vgg.pth"
    save_file(random_tensors(SMALL_VGG16, generator), backbone)
    torch.save(
        {f"lin{i}.model.1.weight": torch.rand(1, w, 1, 1, generator=generator) for i, w in enumerate(WIDTHS)}, heads
    )
    return backbone, heads


@pytest.fixture
def pictures(generator):
    return torch.rand(2, 3, 40, 32, generator=generator), torch.rand(2, 3, 40, 32, generator=generator)


def test_it_is_the_distance_that_torchmetrics_computes(files, pictures):
    backbone, heads = load_file(files[0]), torch.load(files[1], weights_only=True)
    network, scaling, expected = as_sequence(SMALL_VGG16, backbone), reference.ScalingLayer(), torch.zeros(2)
    a, b = (scaling(2 * picture - 1) for picture in pictures)
    taps = (3, 8, 15, 22, 29)
    for i, layer in enumerate(network[:30]):
        a, b = layer(a), layer(b)
        if i in taps:
            head = reference.NetLinLayer(a.shape[1], use_dropout=True).eval()
            head.load_state_dict({"model.1.weight": heads[f"lin{taps.index(i)}.model.1.weight"]})
            difference = (reference._normalize_tensor(a) - reference._normalize_tensor(b)) ** 2
            expected = expected + reference._spatial_average(head(difference)).flatten()
    found = read_lpips(*files, layout=SMALL_VGG16)(*pictures)
    assert expected.min() > 0.01
    torch.testing.assert_close(found, expected.detach(), rtol=1e-5, atol=1e-7)


def test_equal_pictures_have_no_distance_and_order_does_not_matter(files, pictures):
    lpips = read_lpips(*files, layout=SMALL_VGG16)
    assert lpips(pictures[0], pictures[0]).tolist() == [0, 0]
    torch.testing.assert_close(lpips(*pictures), lpips(*pictures[::-1]))


def test_pictures_are_compared_one_by_one(files, pictures):
    lpips = read_lpips(*files, layout=SMALL_VGG16)
    alone = torch.cat([lpips(a[None], b[None]) for a, b in zip(*pictures, strict=True)])
    torch.testing.assert_close(lpips(*pictures), alone)


def test_a_growing_difference_grows_the_distance(files, pictures):
    lpips = read_lpips(*files, layout=SMALL_VGG16)
    start, end = pictures
    distances = [float(lpips(start, start + t * (end - start)).mean()) for t in (0.05, 0.2, 0.8)]
    assert distances == sorted(distances)
    assert distances[0] > 0


def test_published_heads_have_the_shapes_that_are_expected(tmp_path, generator):
    """Those that come with torchmetrics, read with a backbone of the published size."""
    path = tmp_path / "vgg16.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in VGG16_LPIPS.shapes.items()}, path)
    lpips = read_lpips(path)
    heads = [lpips.get_buffer(f"head{i}") for i in range(5)]
    assert [len(head) for head in heads] == [64, 128, 256, 512, 512]
    assert all(float(head.min()) >= 0 for head in heads)


def test_other_files_are_refused(files, tmp_path):
    backbone, heads = files
    with pytest.raises(CheckpointError, match=r"missing lin0\.model\.1\.weight"):
        read_lpips(backbone, backbone, layout=SMALL_VGG16)
    with pytest.raises(CheckpointError, match=r"missing features\.0\.weight"):
        read_lpips(heads, heads, layout=SMALL_VGG16)
    with pytest.raises(
        CheckpointError, match=r"features\.0\.weight has shape \[4, 3, 3, 3\], expected \[64, 3, 3, 3\]"
    ):
        read_lpips(backbone, heads)
    with pytest.raises(CheckpointError, match=r"lin0\.model\.1\.weight has shape"):
        read_lpips(backbone, heads_of_torchmetrics(), layout=SMALL_VGG16)
    with pytest.raises(CheckpointError, match="no such file"):
        read_lpips(tmp_path / "absent.pth", heads)


def test_heads_that_are_nowhere_are_asked_for(monkeypatch):
    monkeypatch.setattr("recon.metrics.lpips.find_spec", lambda name: None)
    with pytest.raises(CheckpointError, match="name the file of the heads"):
        heads_of_torchmetrics()
