"""A whole run of a network with self-guided matrices, started as `recon train` would start it.

python guided_run.py OUT ROOMS DEVICES
"""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))
from models.layers.config import AttentionConfig, BlockConfig, FeedForwardConfig, LinearConfig
from models.training import run
from tests.models.walls import small_run

GUIDED = LinearConfig(kind="lowrank", self_guided=True)


def main(out: Path, rooms: Path, devices: int) -> None:
    config = small_run(
        rooms, out, "ilrm", devices=devices, accelerator="cpu", val_every=1000, log_every=1000, precision="float32"
    )
    block = BlockConfig(AttentionConfig(linear=GUIDED), FeedForwardConfig(linear=GUIDED))
    run.train(replace(config, ilrm=replace(config.ilrm, block=block), data=replace(config.data, batch_size=2)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
