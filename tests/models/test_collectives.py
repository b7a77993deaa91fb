"""What processes tell each other: all of them stop where one has a value that is not finite."""

from pathlib import Path

import pytest
import torch
from torch import distributed, multiprocessing

from models.collectives import all_names, names_of_non_finite


def test_one_process_alone() -> None:
    assert names_of_non_finite(torch.tensor(1.0), ["a"]) == []
    assert names_of_non_finite(torch.tensor(float("nan")), ["a", "b"]) == ["a", "b"]
    assert all_names(["a"]) == ["a"]


def ask(rank: int, folder: str) -> None:
    """What one of two processes finds: first nothing is wrong, then the second has an infinite value."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    found = [names_of_non_finite(torch.tensor(value), [f"sample {rank}"]) for value in (1.0, (1.0, float("inf"))[rank])]
    found.append(all_names([f"{rank}"]))
    Path(folder, f"{rank}.txt").write_text(repr(found))
    distributed.destroy_process_group()


@pytest.mark.slow
def test_both_of_two_processes_name_the_samples_of_the_one_that_failed(tmp_path: Path) -> None:
    multiprocessing.spawn(ask, (str(tmp_path),), nprocs=2)
    for rank in (0, 1):
        assert (tmp_path / f"{rank}.txt").read_text() == repr([[], ["sample 1"], ["0", "1"]])
