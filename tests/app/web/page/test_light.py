"""The server stays light: what computes is in other processes."""

import subprocess
import sys
from pathlib import Path

from app.web.child import environment
from app.web.jobs.settings import EXPORTS
from recon.pipeline.exporters import ALL_EXPORTERS
from tests.browsing import sample_files

HEAVY = ("torch", "cv2", "scipy", "av", "open3d", "numba")
PROGRAM = """
import sys
from pathlib import Path
import app.web.page.build, app.web.routes, app.web.server
from app.web.engine import Engine
from app.web.page.finished import finished
with Engine(root=Path(sys.argv[1]), worker="staged_worker") as engine:
    uploads = [Path(name) for name in sys.argv[2:]]
    assert engine.check(uploads).names == ("room_01.jpg", "room_02.jpg")
    job = engine.submit(uploads)
    list(engine.events(job, timeout=60))
    assert finished(engine, job).downloads
    assert engine.archive(job).num_bytes
    assert engine.refilter(job, 0.0).kept
print(*[name for name in {heavy!r} if name in sys.modules])
"""


def test_from_upload_to_filtered_files_the_server_imports_nothing_heavy(worker_modules: None, tmp_path: Path):
    arguments = [str(tmp_path), *map(str, sample_files(2))]
    command = [sys.executable, "-P", "-c", PROGRAM.replace("{heavy!r}", repr(HEAVY)), *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_the_page_offers_every_export_that_there_is():
    assert set(EXPORTS) == set(ALL_EXPORTERS)
