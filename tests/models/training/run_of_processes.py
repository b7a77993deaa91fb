"""A short run of two processes, started by torchrun: python -m torch.distributed.run ... OUT ROOMS RESUME."""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))
from models.training import run
from tests.models.walls import small_run


def main(out: Path, rooms: Path, resume: bool) -> None:
    options = {"devices": 2, "accelerator": "cpu", "max_steps": 4, "checkpoint_every": 2, "val_every": 1000}
    config = small_run(rooms, out, "ilrm", resume=resume, precision="float32", **options)
    run.train(replace(config, data=replace(config.data, batch_size=2)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "resume")
