"""Workers that stand in for the real one: they take a folder, write events, and do one thing each."""

from pathlib import Path

HEAD = """
import json, os, signal, subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
def tell(event, **content):
    sys.stdout.write(json.dumps({"event": event} | content) + "\\n")
    sys.stdout.flush()
tell("progress", stage="load", message="begun")
"""
BODIES = {
    "quick": """
(folder / "result").mkdir()
(folder / "result" / "scene.json").write_text("{}")
(folder / "tmp" / "left.bin").write_bytes(bytes(1000))
tell("made", what="poses", files=["preview/points.ply"], facts={"placed": 2})
tell("done", files=["result/scene.json"], seconds=0.1)
""",
    "endless": """
(folder / "tmp" / "big.bin").write_bytes(bytes(1_000_000))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
(folder / "pids").write_text(f"{os.getpid()} {child.pid}")
tell("progress", stage="load", message="endless")
time.sleep(600)
""",
    "waits": """
while not (folder.parent / "go").exists():
    time.sleep(0.005)
tell("done", files=[], seconds=0.1)
""",
    "dies": "os.kill(os.getpid(), signal.SIGKILL)",
    "aborts": "os.abort()",
    "silent": "sys.exit(3)",
    "babbles": "print('x' * 100); time.sleep(600)",
    "floods": "sys.stdout.write('x' * 9_000_000); time.sleep(600)",
    "lingers": "tell('done', files=[], seconds=0.1); time.sleep(600)",
    "fails": "tell('failed', kind='PoseError', message='no pose', hint='take more')",
    "prints": "sys.stderr.write('noise'); tell('done', files=[], seconds=0.1)",
}


def write_workers(folder: Path) -> None:
    """One module `NAME_worker` for each of BODIES."""
    for name, body in BODIES.items():
        (folder / f"{name}_worker.py").write_text(HEAD + body)
