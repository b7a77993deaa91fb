"""What is kept for the backward pass, counted."""

import torch
from torch import Tensor, nn

from models.training.dry_run import count_kept


class Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)).double()

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        return self.layers(x)


def test_only_what_is_neither_input_nor_weight_counts_and_once():
    """The second layer and the ReLU keep the same tensor."""
    sample = (torch.zeros(5, 8, dtype=torch.float64), torch.zeros(1), torch.zeros(1))
    assert count_kept(Perceptron(), sample) == 5 * 16 * 8


def test_nothing_is_kept_without_gradients():
    with torch.no_grad():
        assert count_kept(Perceptron(), (torch.zeros(5, 8, dtype=torch.float64), torch.zeros(1), torch.zeros(1))) == 0
