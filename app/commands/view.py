"""`recon view`: a page on this machine that shows a finished scene."""

import logging
import webbrowser
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from app.console import json_line

log = logging.getLogger(__name__)

HELP = "Look at a finished scene in the browser."
LARGE_BYTES = 1_000_000_000


def add_arguments(parser: ArgumentParser) -> None:
    """What to show, and where."""
    parser.add_argument(
        "scene", help="A result folder of `recon reconstruct`, or a file of Gaussians (.ply, .spz, .splat, .glb)."
    )
    parser.add_argument("--port", type=int, default=0, help="Port on 127.0.0.1; 0 for any free one.")
    parser.add_argument("--no-browser", action="store_true", help="Only print the address; do not open it.")
    parser.add_argument("--json", action="store_true", help="Print the address as a JSON object.")


def run(arguments: Namespace) -> int:
    """Serve until interrupted."""
    from app.viewer.description import describe
    from app.viewer.server import ViewerServer
    from app.viewer.site import as_ply, make_site, pictures_of
    from recon.io.scene_folder import load_scene

    scene = load_scene(Path(arguments.scene))
    description, path = describe(scene), scene.gaussians_path
    pictures = () if scene.record is None else pictures_of(path.parent, scene.record.names)
    del scene  # the browser has its own
    with as_ply(path) as gaussians:
        if gaussians.stat().st_size > LARGE_BYTES:
            log.warning("the scene is larger than 1 GB; browsers may fail to show it")
        with ViewerServer(make_site(description, gaussians, pictures), arguments.port) as server:
            address = json_line({"url": server.url}) if arguments.json else f"{server.url}\nCtrl-C ends it."
            print(address, flush=True)
            if not arguments.no_browser:
                webbrowser.open(server.url)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                log.info("ended")
    return 0
