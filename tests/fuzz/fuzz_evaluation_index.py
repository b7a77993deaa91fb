"""Which views an evaluation gives and wants, in each of the forms that are published."""

import json
from pathlib import Path

from fuzzing import SMALL

from recon.data.views.index_files import read_evaluation_index


def seeds() -> list[bytes]:
    pair = {"context": [1, 5], "target": [2, 3]}
    contents = [
        {"a": pair, "b": None},
        {"a": pair | {"overlap": 0.4}},
        {"a": {"input": [0, 4, 8], "target": [1]}},
        [{"scene_name": "a", "fold_8_kmeans_3_input": [1, 2, 5], "fold_8_kmeans_2_input": [1, 5]}],
    ]
    return [json.dumps(content).encode() for content in contents]


def feed(data: bytes, folder: Path) -> object:
    path = folder / "index.json"
    path.write_bytes(data)
    index = read_evaluation_index(path, num_context=3, limits=SMALL)
    for name in index.entries:
        index.select(name, 9, 3)
    return index
