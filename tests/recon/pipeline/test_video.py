import numpy as np
import pytest

from recon.pipeline import video
from recon.pipeline.pictures import pictures
from recon.render.trajectory import tour
from recon.types import Provenance, Scene
from tests.recon.refine.conftest import make_cameras, make_scene, photograph


@pytest.mark.parametrize("num_frames", [8, 9])
def test_the_way_back_shows_the_places_that_it_leads_through(tmp_path, monkeypatch, num_frames):
    gaussians, cameras = make_scene(), make_cameras(4)
    provenance = Provenance("none", "", "given", {}, {}, 0)
    scene = Scene(photograph(gaussians, cameras), gaussians, provenance)
    written = []
    monkeypatch.setattr(video, "write_mp4", lambda path, frames, fps: written.extend(frames))
    monkeypatch.setattr(video, "num_tour_frames", lambda num_views: num_frames)
    video.export_mp4(scene, tmp_path)
    expected = [picture.color for picture in pictures(gaussians, tour(cameras, num_frames))]
    assert len(written) == num_frames
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(written, expected, strict=True))
