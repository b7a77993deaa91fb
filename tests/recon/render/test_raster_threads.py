"""The compiled rasteriser under threads and forks."""

import multiprocessing
import threading

import pytest
import torch

from recon.render import get_rasterizer
from recon.render.cpu.threads import run_chunks


@pytest.fixture
def scene(make_scene):
    return make_scene(3000, width=100, height=70).to(torch.float32)


@pytest.mark.usefixtures("two_threads")
def test_one_and_two_threads_give_the_same_bits(scene):
    many = scene.with_(width=120).gradients(get_rasterizer("cpu"), depth=True)
    torch.set_num_threads(1)
    one = scene.with_(width=120).gradients(get_rasterizer("cpu"), depth=True)
    for name, value in one.items():
        assert torch.equal(many[name], value), name


def _child(scene, queue):
    queue.put(scene.render(get_rasterizer("cpu")).color.numpy())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking with threads, which is the point
@pytest.mark.usefixtures("two_threads")
def test_a_forked_child_renders_after_its_parent_did(scene):
    expected = scene.render(get_rasterizer("cpu")).color
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(scene, queue))
    child.start()
    found = queue.get(timeout=60)
    child.join(10)
    assert child.exitcode == 0
    assert torch.equal(torch.from_numpy(found), expected)


@pytest.mark.usefixtures("two_threads")
def test_two_python_threads_at_once(scene):
    expected = scene.gradients(get_rasterizer("cpu"))
    results = [[], []]

    def work(into):
        for _ in range(4):
            into.append(scene.gradients(get_rasterizer("cpu")))

    threads = [threading.Thread(target=work, args=(into,)) for into in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for found in results[0] + results[1]:
        assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert len(results[0]) == len(results[1]) == 4


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(("total", "chunk"), [(0, None), (1, None), (1000, None), (1000, 7), (5, 100)])
def test_pieces_cover_the_range_once(total, chunk):
    seen = []
    run_chunks(lambda lo, hi: seen.extend(range(lo, hi)), total, chunk=chunk)
    assert sorted(seen) == list(range(total))


@pytest.mark.usefixtures("two_threads")
def test_errors_of_a_piece_arrive():
    def fail(lo, hi):
        raise ValueError("piece")

    with pytest.raises(ValueError, match="piece"):
        run_chunks(fail, 100)
