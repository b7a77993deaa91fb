import itertools

import numpy as np

from recon.data.epoch_order import TOGETHER, epoch_order


class Chunks:
    """Thirty captures in ten chunks of three, which are not stored in order."""

    names = tuple(f"c{i}" for i in range(30))
    groups = tuple((i, i + 10, i + 20) for i in range(10))

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> object:
        raise NotImplementedError


def test_every_capture_comes_once_and_seeds_differ() -> None:
    one, other = (epoch_order(Chunks(), np.random.default_rng(seed)) for seed in (0, 1))
    assert sorted(one) == sorted(other) == list(range(30))
    assert one.tolist() != other.tolist()
    assert one.tolist() == epoch_order(Chunks(), np.random.default_rng(0)).tolist()


def test_a_chunk_is_left_before_another_pool_is_begun() -> None:
    """Chunk i holds i, i + 10, i + 20; with as many open as are mixed, each is opened once."""
    order = epoch_order(Chunks(), np.random.default_rng(0)) % 10
    pools = [set(order[i : i + 3 * TOGETHER]) for i in range(0, 30, 3 * TOGETHER)]
    assert [len(pool) for pool in pools] == [4, 4, 2]
    switches = sum(a != b for a, b in itertools.pairwise(order[: 3 * TOGETHER]))
    assert switches > TOGETHER - 1  # which is the least, chunk by chunk
