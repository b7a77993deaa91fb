"""Training runs: from a config to weights.

config -> captures -> batches (`data`) -> module of the network (`networks`) -> Lightning (`run`) -> weights, logs
"""

from models.training.config import TrainConfig, TrainerConfig
from models.training.run import train

__all__ = ["TrainConfig", "TrainerConfig", "train"]
