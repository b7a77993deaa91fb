"""How scenes stand in files that state which way is up: SPZ and glTF."""

import torch

from recon.geometry.frames import UP_IN_FRAME, turn_up
from recon.geometry.similarity import Similarity

STANDING_SUFFIXES = (".spz", ".glb")


def standing_from_world(up: tuple[float, float, float]) -> Similarity:
    """The turn after which up is +y, once the writers of SPZ and glTF have added their half turn about x."""
    target = torch.tensor(UP_IN_FRAME["opengl"], dtype=torch.float64)
    half_turn = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64))
    return Similarity.from_rotation(half_turn @ turn_up(torch.tensor(up, dtype=torch.float64), target))
