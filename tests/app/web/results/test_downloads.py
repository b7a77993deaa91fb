import json
import zipfile

import pytest

from app.web.results.downloads import archive_of, list_downloads
from recon.errors import InputError
from tests.saved_scenes import save_two_balls


def test_every_file_of_the_result_with_its_size_and_no_other(tmp_path):
    result = save_two_balls(tmp_path / "result")
    (result / "stranger.txt").write_text("not a result")
    found = list_downloads(result)
    assert [download.name for download in found] == ["gaussians.ply", "scene.json"]
    assert all(download.num_bytes == download.path.stat().st_size > 0 for download in found)


def test_a_scene_json_cannot_name_files_elsewhere(tmp_path):
    result = save_two_balls(tmp_path / "result")
    (tmp_path / "secret").write_text("secret")
    (result / "link").symlink_to(tmp_path / "secret")
    content = json.loads((result / "scene.json").read_text())
    content["files"] |= {"../secret": 6, str(tmp_path / "secret"): 6, "link": 6, "gone.ply": 1}
    (result / "scene.json").write_text(json.dumps(content))
    assert {download.name for download in list_downloads(result)} == {"gaussians.ply", "scene.json"}


def test_the_archive_holds_all_files_as_they_are(tmp_path):
    result = save_two_balls(tmp_path / "result")
    archive = archive_of(result, tmp_path)
    with zipfile.ZipFile(archive.path) as opened:
        assert sorted(opened.namelist()) == ["scene/gaussians.ply", "scene/scene.json"]
        assert opened.read("scene/gaussians.ply") == (result / "gaussians.ply").read_bytes()
        assert opened.testzip() is None
    assert (archive.name, archive.num_bytes) == ("scene.zip", archive.path.stat().st_size)
    first = archive.path.stat().st_mtime_ns
    assert archive_of(result, tmp_path).path.stat().st_mtime_ns == first


def test_before_there_are_results(tmp_path):
    with pytest.raises(InputError, match="no results yet"):
        list_downloads(tmp_path)
