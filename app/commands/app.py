"""`recon app`: the page where photographs are dropped and a scene comes out."""

import contextlib
import logging
import signal
import threading
import webbrowser
from dataclasses import replace
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from app.console import json_line

log = logging.getLogger(__name__)

HELP = "Open a page for photographs, in the browser."


def add_arguments(parser: ArgumentParser) -> None:
    """Where, for whom, and how much."""
    parser.add_argument("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0 lets other machines in.")
    parser.add_argument(
        "--name",
        default="",
        metavar="NAMES",
        help="Names, comma-separated, by which other machines reach it; without, they use its address in numbers.",
    )
    parser.add_argument("--port", type=int, default=7860, help="Its port; 0 for any free one.")
    parser.add_argument(
        "--share", action="store_true", help="Make the page reachable from everywhere through Gradio's servers."
    )
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help='File whose first line is the password; people log in as "recon". Only you may be able to read it.',
    )
    parser.add_argument("--workers", type=int, default=1, help="Jobs that run at the same time, 1 to 64.")
    parser.add_argument(
        "--queue", type=int, default=16, help="Jobs that may wait, 0 to 10000; further ones are refused."
    )
    parser.add_argument("--keep-hours", type=float, default=1.0, help="How long results are kept; above 0.")
    parser.add_argument("--folder", metavar="FOLDER", help="Where jobs are kept while the page runs.")
    parser.add_argument("--no-browser", action="store_true", help="Only print the address; do not open it.")
    parser.add_argument("--json", action="store_true", help="Print the address as a JSON object.")


def run(arguments: Namespace) -> int:
    """Serve until interrupted.

    Raises:
        InputError: An option out of its range.
        ResourceError: The password file, the folder or the port cannot be used.
    """
    from app.web.engine import Engine
    from app.web.limits import DEFAULT_WEB_LIMITS
    from app.web.server import ServerOptions, read_password, serving

    limits = replace(
        DEFAULT_WEB_LIMITS,
        num_workers=arguments.workers,
        max_waiting=arguments.queue,
        time_to_live_seconds=3600 * arguments.keep_hours,
    )
    password = read_password(Path(arguments.password_file)) if arguments.password_file else None
    names = tuple(name.strip() for name in arguments.name.split(",") if name.strip())
    options = ServerOptions(arguments.host, arguments.port, arguments.share, password, names)
    if password is None and (options.share or options.host not in ("127.0.0.1", "localhost")):
        log.warning("everybody who reaches this address can use the page; --password-file FILE asks for a password")
    ended = _ended_by_sigterm()
    with (
        Engine(limits, Path(arguments.folder) if arguments.folder else None) as engine,
        serving(engine, options) as server,
    ):
        address = {"url": server.url, "share_url": server.share_url}
        words = "\n".join(url for url in (server.url, server.share_url) if url)
        with contextlib.suppress(KeyboardInterrupt):
            print(json_line(address) if arguments.json else f"{words}\nCtrl-C ends it.", flush=True)
            if not arguments.no_browser:
                webbrowser.open(server.url)
            ended.wait()
        log.info("ended")
    return 0


def _ended_by_sigterm() -> threading.Event:
    """Set by SIGTERM from now on, by which containers and service managers end a program."""
    ended = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
    return ended
