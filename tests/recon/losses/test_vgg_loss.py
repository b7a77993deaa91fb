import pytest
import torch
from safetensors.torch import save_file

from recon.errors import CheckpointError
from recon.losses.vgg import MATCONVNET, TORCHVISION, VGGInput, VGGLoss, read_vgg_loss
from recon.vgg.network import VGGFeatures
from tests.small_vgg import SMALL_VGG19, as_sequence, random_tensors


def loss_of(generator: torch.Generator, given: VGGInput = MATCONVNET) -> VGGLoss:
    return VGGLoss(VGGFeatures(SMALL_VGG19, random_tensors(SMALL_VGG19, generator)), given)


@pytest.fixture
def pictures(generator):
    return torch.rand(2, 3, 32, 32, generator=generator), torch.rand(2, 3, 32, 32, generator=generator)


def test_it_is_the_weighted_sum_of_the_publication(generator, pictures):
    tensors = random_tensors(SMALL_VGG19, generator)
    mean = torch.tensor([123.68, 116.779, 103.939]).view(3, 1, 1)
    a, b = (255 * picture - mean for picture in pictures)
    expected, weights = (a - b).abs().mean(), {3: 2.6, 8: 4.8, 13: 3.7, 22: 5.6, 31: 1.5 / 10}
    for i, layer in enumerate(as_sequence(SMALL_VGG19, tensors)[:32]):
        a, b = layer(a), layer(b)
        if i in weights:
            expected = expected + (a - b).abs().mean() / weights[i]
    found = VGGLoss(VGGFeatures(SMALL_VGG19, tensors))(*pictures)
    torch.testing.assert_close(found, (expected / 255).detach())


@pytest.mark.parametrize("given", [MATCONVNET, TORCHVISION])
def test_equal_pictures_cost_nothing(generator, pictures, given):
    assert float(loss_of(generator, given)(pictures[0], pictures[0])) == 0


def test_a_uniform_error_costs_at_least_itself(generator, pictures):
    """The pictures themselves count with weight 1 in units of their range."""
    assert float(loss_of(generator)(pictures[0], pictures[0] + 0.1)) > 0.1


def test_both_kinds_of_weights_give_losses_of_one_scale(generator, pictures):
    """The same network, once for 0..255 and once for unit variance, its biases scaled alike."""
    tensors = random_tensors(SMALL_VGG19, generator)
    unbiased = {name: value * name.endswith("weight") for name, value in tensors.items()}
    grey = VGGInput((0.5, 0.5, 0.5), (0.226, 0.226, 0.226), TORCHVISION.gain)
    wide = VGGInput((0.5, 0.5, 0.5), (1 / 255, 1 / 255, 1 / 255), 1.0)
    first, second = (VGGLoss(VGGFeatures(SMALL_VGG19, unbiased), given)(*pictures) for given in (grey, wide))
    torch.testing.assert_close(first, second)


def test_gradients_reach_the_rendered_picture_only(generator, pictures):
    rendered, target = (picture.requires_grad_() for picture in pictures)
    loss_of(generator)(rendered, target).backward()
    assert rendered.grad is not None
    assert (rendered.grad != 0).float().mean() > 0.99


def test_gradient_in_double_precision():
    generator = torch.Generator().manual_seed(5)
    loss = loss_of(generator).double()
    a, b = (torch.rand(1, 3, 16, 16, generator=generator, dtype=torch.float64) for _ in range(2))
    direction = torch.randn(a.shape, generator=generator, dtype=torch.float64)
    t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: loss(a + t * direction, b), t, eps=1e-7, atol=1e-4)


def test_weights_are_read_from_what_people_have(generator, pictures, tmp_path):
    tensors = random_tensors(SMALL_VGG19, generator)
    extra = {"features.32.weight": torch.zeros(8, 8, 3, 3), "classifier.0.bias": torch.zeros(4)}
    save_file(tensors | extra, tmp_path / "vgg19.safetensors")
    torch.save(tensors | extra, tmp_path / "vgg19.pth")
    losses = [
        read_vgg_loss(tmp_path / name, layout=SMALL_VGG19)(*pictures) for name in ("vgg19.pth", "vgg19.safetensors")
    ]
    expected = VGGLoss(VGGFeatures(SMALL_VGG19, tensors), TORCHVISION)(*pictures)
    assert losses == [expected, expected]
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_vgg_loss(tmp_path / "absent.mat")
    with pytest.raises(CheckpointError, match="no such file"):
        read_vgg_loss(tmp_path / "absent.pth")
