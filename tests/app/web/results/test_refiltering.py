import signal
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.web.engine import Engine
from app.web.limits import WebLimits
from app.web.results.filtered import Filtered
from app.web.results.refiltering import refilter_apart
from recon.errors import ExportError, GeometryError, LimitError, ResourceError
from recon.io.scene_json import write_scene_json
from recon.io.splats.ply import write_ply
from tests.saved_scenes import two_balls

ASK = "app.web.results.refiltering.ask"


@pytest.fixture
def result(tmp_path: Path) -> Path:
    scene = two_balls()
    scene = replace(scene, gaussians=replace(scene.gaussians, opacities=torch.tensor([0.2, 0.9])))
    folder = tmp_path / "result"
    folder.mkdir()
    write_ply(folder / "gaussians.ply", scene.gaussians)
    write_scene_json(folder / "scene.json", scene, {"gaussians.ply": (folder / "gaussians.ply").stat().st_size})
    return folder


def test_a_process_of_its_own_writes_the_files(result, tmp_path):
    filtered = refilter_apart(result, tmp_path / "out", 0.5, ("splat",), 60.0)
    assert filtered == Filtered(tmp_path / "out", 1, 2)
    assert {path.name for path in filtered.folder.iterdir()} >= {"gaussians.ply", "gaussians.splat", "scene.json"}


def test_its_errors_keep_their_kind_and_name_no_place_of_the_server(result, tmp_path):
    with pytest.raises(GeometryError, match="none of 2 Gaussians") as found:
        refilter_apart(result, tmp_path / "out", 0.95, (), 60.0)
    assert found.value.hint == "choose a lower one"
    assert str(tmp_path) not in found.value.message


@pytest.mark.parametrize(
    ("code", "kind", "words"), [(-signal.SIGKILL, ResourceError, "memory ran out"), (3, ExportError, "exit code 3")]
)
def test_a_process_that_breaks_down_is_told(result, tmp_path, monkeypatch, code, kind, words):
    monkeypatch.setattr(ASK, lambda *_: subprocess.CompletedProcess([], code, "", ""))
    with pytest.raises(kind, match=words):
        refilter_apart(result, tmp_path / "out", 0.5, (), 60.0)


def test_one_that_takes_too_long_is_ended(result, tmp_path):
    with pytest.raises(LimitError, match=r"longer than 0\.05 s"):
        refilter_apart(result, tmp_path / "out", 0.5, (), 0.05)


def test_only_one_at_a_time(tmp_path, monkeypatch):
    now, most = [], []

    def slow(result, out, *_):
        now.append(out)
        most.append(len(now))
        time.sleep(0.02)
        now.remove(out)
        return Filtered(out, 1, 1)

    monkeypatch.setattr("app.web.engine.refilter_apart", slow)
    with Engine(WebLimits(), tmp_path / "jobs") as engine:
        monkeypatch.setattr(engine, "folder", lambda id: tmp_path / id)
        threads = [threading.Thread(target=engine.refilter, args=(str(number), 0.5)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == [1] * 4
