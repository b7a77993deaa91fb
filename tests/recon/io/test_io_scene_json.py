import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recon.errors import ExportError, FormatError, GeometryError, ReconError
from recon.io.scene_json import read_scene_json, write_scene_json
from recon.types import Scene

FILES = {"gaussians.ply": 1234, "images/a.png": 7}


def test_what_is_written_is_read(scene: Scene, tmp_path: Path):
    write_scene_json(tmp_path / "scene.json", scene, FILES)
    record = read_scene_json(tmp_path / "scene.json")
    assert torch.equal(record.cameras.cam_from_world, scene.cameras.cam_from_world)
    assert torch.equal(record.cameras.K, scene.cameras.K)
    assert torch.equal(record.cameras.size, scene.cameras.size)
    assert torch.equal(record.original_size, scene.views.original_size)
    assert torch.equal(record.crop_from_original, scene.views.crop_from_original)
    assert record.provenance == scene.provenance
    assert (record.names, record.files) == (scene.views.names, FILES)
    assert (record.unit, record.up, record.report) == (scene.unit, scene.up, scene.report)


def test_numbers_that_json_lacks_become_null(scene: Scene, tmp_path: Path):
    report = {
        "error": math.nan,
        "list": [np.float32(1.5), np.inf, torch.tensor([1.0, math.nan])],
        "path": Path("a/b"),
        "count": np.int64(3),
        "nested": {1: None, "flag": True},
    }
    write_scene_json(tmp_path / "scene.json", replace(scene, report=report, up=None), {})
    text = (tmp_path / "scene.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    record = read_scene_json(tmp_path / "scene.json")
    assert record.report == {
        "error": None,
        "list": [1.5, None, [1.0, None]],
        "path": "a/b",
        "count": 3,
        "nested": {"1": None, "flag": True},
    }
    assert record.up is None


def test_the_file_explains_itself(scene: Scene, tmp_path: Path):
    write_scene_json(tmp_path / "scene.json", scene, {})
    content = json.loads((tmp_path / "scene.json").read_text())
    assert "OpenCV" in content["conventions"]
    assert content["gaussians"] == {"count": 5, "sh_degree": 1}
    assert content["views"][1]["name"] == "b.png"


def test_objects_without_a_form_in_json_are_refused(scene: Scene, tmp_path: Path):
    with pytest.raises(ExportError, match="type object"):
        write_scene_json(tmp_path / "scene.json", replace(scene, report={"x": object()}), {})
    assert list(tmp_path.iterdir()) == []


CHANGES: list[tuple[list[str | int], Any]] = [
    (["format"], "other"),
    (["version"], 99),
    (["unit"], "mile"),
    (["up"], [0, 1]),
    (["up"], "north"),
    (["up"], [0, 1, None]),
    (["views"], None),
    (["views"], {"a": 1}),
    (["views", 0], 3),
    (["views", 0, "name"], 3),
    (["views", 0, "w"], None),
    (["views", 1, "K"], [[1, 0], [0, 1]]),
    (["views", 1, "K", 0, 0], None),
    (["views", 1, "cam_from_world", 0, 0], 1e400),
    (["views", 1, "original_size"], []),
    (["files"], [1]),
    (["files"], {"x": "big"}),
    (["report"], None),
    (["provenance"], []),
    (["provenance", "seed"], "7"),
    (["provenance", "model"], None),
]


@pytest.mark.parametrize(("place", "value"), CHANGES)
def test_wrong_fields_are_refused(place: list[str | int], value: Any, scene: Scene, tmp_path: Path):
    path = tmp_path / "scene.json"
    write_scene_json(path, scene, FILES)
    content = json.loads(path.read_text())
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(FormatError, match=r"scene\.json"):
        read_scene_json(path)


def test_missing_fields_are_refused(scene: Scene, tmp_path: Path):
    path = tmp_path / "scene.json"
    write_scene_json(path, scene, FILES)
    content = json.loads(path.read_text())
    for name in set(content) - {"conventions", "gaussians"}:
        path.write_text(json.dumps({key: value for key, value in content.items() if key != name}))
        with pytest.raises(ReconError):
            read_scene_json(path)


def test_cameras_are_checked(scene: Scene, tmp_path: Path):
    path = tmp_path / "scene.json"
    write_scene_json(path, scene, FILES)
    content = json.loads(path.read_text())
    content["views"][1]["cam_from_world"][0][0] = 5.0
    path.write_text(json.dumps(content))
    with pytest.raises(GeometryError, match="camera 1"):
        read_scene_json(path)
