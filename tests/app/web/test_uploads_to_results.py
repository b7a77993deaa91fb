"""From each kind of upload to a result, by real workers on the sample capture at a quarter of its size."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from app.web.engine import Engine
from app.web.jobs.events import Done, Made, Progress
from app.web.jobs.settings import JobSettings
from recon.io.scene_folder import load_scene
from recon.io.scene_json import read_scene_json
from tests.app.web.uploads.uploaded_files import zipped

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SAMPLE = sorted((Path(__file__).parents[3] / "datasets" / "sample").glob("*.jpg"))[:6]
SIZE = (480, 360)
FAST = JobSettings(quality="fast", exports=("ply",))


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    return [Image.open(path).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS) for path in SAMPLE]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory):
    with Engine(root=tmp_path_factory.mktemp("jobs")) as engine:
        yield engine


def photographs(pictures: list[Image.Image], folder: Path, suffix: str) -> list[Path]:
    paths = [folder / f"photo_{i}.{suffix}" for i in range(len(pictures))]
    for picture, path in zip(pictures, paths, strict=True):
        if suffix == "heic":
            pillow_heif.from_pillow(picture).save(path, quality=90)
        else:
            picture.save(path, quality=95)
    return paths


def video(pictures: list[Image.Image], folder: Path) -> list[Path]:
    """Each picture is shown for half a second."""
    path = folder / "walk.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(8), options={"crf": "12"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            for _ in range(4):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
    return [path]


def archive(pictures: list[Image.Image], folder: Path) -> list[Path]:
    members = []
    for i, picture in enumerate(pictures):
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=95)
        members.append((f"photos/{i}.jpg", buffer.getvalue()))
    (folder / "photos.zip").write_bytes(zipped(*members))
    return [folder / "photos.zip"]


@pytest.mark.parametrize("kind", ["jpg", "heic", "png", "webp", "mp4", "zip"])
def test_upload_to_result(kind, pictures, engine, tmp_path):
    make = {"mp4": video, "zip": archive}.get(kind)
    uploads = make(pictures, tmp_path) if make else photographs(pictures, tmp_path, kind)
    settings = JobSettings(quality="fast", exports=("ply",), fps=2.0) if kind == "mp4" else FAST
    id = engine.submit(uploads, settings)
    events = list(engine.events(id, timeout=500))
    assert isinstance(events[-1], Done), events[-1]
    assert [event.what for event in events if isinstance(event, Made)] == ["poses", "gaussians", "pictures"]
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert fractions == sorted(fractions)
    report = read_scene_json(engine.folder(id) / "result" / "scene.json").report
    assert report["poses"]["registered"] == len(pictures)
    assert str(engine.folder(id)) not in str(report)
    assert id not in (engine.folder(id) / "result" / "scene.json").read_text()
    scene = load_scene(engine.folder(id) / "result")
    assert len(scene.gaussians) > 10_000
    made = {event.what: event for event in events if isinstance(event, Made)}
    assert all((engine.folder(id) / name).is_file() for event in made.values() for name in event.files)
    views = made["pictures"].facts["views"]
    assert len(views) == len(pictures)
    assert np.median([view["psnr_db"] for view in views]) > 15
