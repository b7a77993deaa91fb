import pytest
import torch

from recon.errors import InputError
from recon.vgg.network import VGG16_LPIPS, VGG19_AVERAGE, VGGFeatures
from tests.small_vgg import SMALL_VGG16, SMALL_VGG19, as_sequence, random_tensors


def test_vgg16_has_its_known_number_of_weights():
    assert sum(torch.Size(shape).numel() for shape in VGG16_LPIPS.shapes.values()) == 14_714_688
    assert list(VGG16_LPIPS.shapes)[-2:] == ["features.28.weight", "features.28.bias"]


def test_vgg19_ends_at_the_second_convolution_of_its_last_block():
    convolutions = [name.removesuffix(".weight") for name in VGG19_AVERAGE.shapes if name.endswith(".weight")]
    numbers = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30]
    assert convolutions == [f"features.{n}" for n in numbers]


@pytest.mark.parametrize(
    ("layout", "relus"), [(SMALL_VGG16, (3, 8, 15, 22, 29)), (SMALL_VGG19, (3, 8, 13, 22, 31))], ids=["16", "19"]
)
def test_features_are_those_of_the_layers_in_sequence(generator, layout, relus):
    tensors = random_tensors(layout, generator)
    pictures = torch.randn(2, 3, 32, 48, generator=generator)
    x, expected = pictures, []
    for i, layer in enumerate(as_sequence(layout, tensors)[: relus[-1] + 1]):
        x = layer(x)
        if i in relus:
            expected.append(x)
    for found, wanted in zip(VGGFeatures(layout, tensors)(pictures), expected, strict=True):
        assert wanted.std() > 0.01
        torch.testing.assert_close(found, wanted)


def test_the_network_neither_learns_nor_goes_into_checkpoints(generator):
    network = VGGFeatures(SMALL_VGG19, random_tensors(SMALL_VGG19, generator))
    assert not list(network.parameters())
    assert not network.state_dict()


def test_it_follows_the_device_and_type(generator):
    network = VGGFeatures(SMALL_VGG19, random_tensors(SMALL_VGG19, generator)).double()
    assert network(torch.zeros(1, 3, 16, 16, dtype=torch.float64))[0].dtype == torch.float64


def test_pictures_that_are_too_small_are_refused(generator):
    network = VGGFeatures(SMALL_VGG16, random_tensors(SMALL_VGG16, generator))
    assert network(torch.zeros(1, 3, 16, 16))[-1].shape == (1, 8, 1, 1)
    with pytest.raises(InputError, match="20 x 15 pixels, expected at least 16"):
        network(torch.zeros(1, 3, 15, 20))
