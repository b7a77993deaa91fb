"""Kill writers of results at random moments and look at what is there: killed_writer.py FOLDER MODE KILLS SEED.

Forks a writer, kills it, judges, and so on; prints one JSON object. A process of its own, because forking needs one
that has no threads.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import torch

from recon.errors import InputError
from recon.io.atomic import staged_folder
from recon.io.json_file import read_json, write_json
from recon.io.part_entries import is_part
from recon.io.splats.ply import read_ply, write_ply
from recon.types import Gaussians

WRITES_BEFORE_KILL = 1.5
"""On average; the moment of the kill is evenly spread over twice this many."""
MAX_NUMBER = 40


def gaussians(number: int) -> Gaussians:
    """As many as the number of the run says."""
    num = 100 * (1 + number % MAX_NUMBER)
    quats = torch.tensor([[1.0, 0, 0, 0]]).repeat(num, 1)
    return Gaussians(torch.zeros(num, 3), torch.ones(num, 3), quats, torch.full((num,), 0.5), torch.zeros(num, 1, 3))


def write_result(out: Path, number: int) -> None:
    """A result whose every file tells the number of its run."""
    with staged_folder(out, overwrite=True) as folder:
        write_ply(folder / "gaussians.ply", gaussians(number))
        (folder / "images").mkdir()
        for i in range(2):
            (folder / "images" / f"{i}.png").write_bytes(bytes([number % MAX_NUMBER]) * 50_000)
        files = {str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*") if p.is_file()}
        write_json(folder / "scene.json", {"number": number % MAX_NUMBER, "files": files})


def fault_in(out: Path) -> str:
    """What is wrong with the visible files, in words; empty when each is whole and scene.json fits them."""
    numbers = set()
    for path in sorted(p for p in out.rglob("*") if p.is_file() and not any(map(is_part, [p, *p.parents]))):
        name = str(path.relative_to(out))
        if path.suffix == ".png":
            data = path.read_bytes()
            if len(data) != 50_000 or len(set(data)) != 1:
                return f"{name} is torn"
            numbers.add(data[0])
        elif path.suffix == ".ply":
            try:
                numbers.add(len(read_ply(path)) // 100 - 1)
            except InputError as error:
                return f"{name}: {error}"
    if not (out / "scene.json").exists():
        return ""
    content = read_json(out / "scene.json")
    if {content["number"]} != numbers:
        return f"scene.json of run {content['number']} beside files of {numbers}"
    wrong = [name for name, size in content["files"].items() if (out / name).stat().st_size != size]
    return f"sizes of {wrong}" if wrong else ""


def write_until_killed(base: Path, fresh: bool, ready: int) -> None:
    """In the child."""
    for number in range(10**6):
        write_result(base / str(number) if fresh else base / "out", number)
        if number == 0:
            os.write(ready, b"x")


def kill_one(base: Path, fresh: bool, delay: float) -> None:
    """Fork a writer, and kill it that long after its first result."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write_until_killed(base, fresh, writing)
        finally:
            os._exit(9)
    os.read(reading, 1)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"the writer ended by itself with status {status}")


def main(base: Path, fresh: bool, kills: int, seed: int) -> dict:
    """Kill that many writers; count what was found."""
    moments = random.Random(seed)
    start = time.perf_counter()
    for number in range(5):
        write_result(base / "timed", number)
    seconds = (time.perf_counter() - start) / 5
    counts, faults = Counter(), []
    for kill in range(kills):
        folder = base / str(kill)
        folder.mkdir()
        kill_one(folder, fresh, moments.uniform(0, 2 * WRITES_BEFORE_KILL * seconds))
        counts["while writing"] += any(map(is_part, folder.rglob("*")))
        outs = [path for path in folder.iterdir() if not is_part(path)]
        counts["without scene.json"] += any(not (out / "scene.json").exists() for out in outs)
        faults += [f"kill {kill}: {fault}" for fault in map(fault_in, outs) if fault]
        write_result(folder / str(len(outs)) if fresh else folder / "out", 0)  # the next run cleans up
        faults += [f"kill {kill}: {path} stays" for path in folder.rglob("*") if is_part(path)]
        shutil.rmtree(folder)
    return {"kills": kills, "faults": faults, "seconds_of_one_write": seconds, **counts}


if __name__ == "__main__":
    torch.set_num_threads(1)
    result = main(Path(sys.argv[1]), sys.argv[2] == "fresh", int(sys.argv[3]), int(sys.argv[4]))
    sys.stdout.write(json.dumps(result))
