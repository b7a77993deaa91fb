"""The server: Gradio with every safe setting, behind a wall, beside the routes of files and viewers."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.web.engine import Engine
from app.web.guard import Guard, Rules
from app.web.uploads.folder import upload_folder
from recon.errors import ResourceError

TUNNEL = ".gradio.live"
"""End of the names that Gradio's tunnels have."""
LOOPBACK = ("127.0.0.1", "localhost")
USER = "recon"
SECONDS_AFTER_A_WRONG_PASSWORD = 1.0
NUM_THREADS = 128
"""For calls that wait, such as looking at uploads; who watches a job holds none."""
SAMPLE = Path(__file__).parents[2] / "datasets" / "sample"
QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_SHARE": "False",
    "GRADIO_ALLOWED_PATHS": "",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",  # else it sums up all requests so far after each one
    "GRADIO_NUM_PORTS": "1",
}
"""Of the environment: nothing is reported to anybody, and nothing there opens what the options keep closed."""
SAFE: dict[str, Any] = {
    "prevent_thread_lock": True, "quiet": True, "show_error": False, "max_threads": NUM_THREADS,
    "allowed_paths": [], "strict_cors": True, "enable_monitoring": False, "run_history": False, "mcp_server": False,
    "ssr_mode": False, "pwa": False, "footer_links": [], "inbrowser": False, "inline": False,
}  # fmt: skip
"""Of Gradio's `launch`: nothing is handed out, told or offered beside the page."""


@dataclass(frozen=True)
class ServerOptions:
    """Where and for whom.

    Attributes:
        host: Address to listen on.
        port: Its port; 0 for any free one.
        share: Whether Gradio's tunnel makes the page reachable from everywhere.
        password: That people are asked for, with the user name "recon"; None for none.
        names: By which the page is reached besides addresses in numbers, where it listens to other machines.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    share: bool = False
    password: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Serving:
    """A running server.

    Attributes:
        url: Where it is reached from this machine.
        share_url: Where it is reached from everywhere; None unless shared.
    """

    url: str
    share_url: str | None


@contextlib.contextmanager
def serving(engine: Engine, options: ServerOptions) -> Iterator[Serving]:
    """Serve the page until the end of the block.

    Raises:
        ResourceError: The address or port cannot be used, or there is no tunnel.
    """
    with contextlib.ExitStack() as held:
        uploads = held.enter_context(upload_folder())
        held.enter_context(_environment(QUIET | {"GRADIO_TEMP_DIR": str(uploads)}))
        port = _free_port(options)
        from starlette.middleware import Middleware

        from app.web.page.build import build_page
        from app.web.page.look_of_page import launch_arguments
        from app.web.routes import make_routes

        examples = sorted(SAMPLE.glob("*.jpg"))
        page = build_page(engine, examples)
        page.queue(default_concurrency_limit=16, max_size=512)
        rules = _rules(options, port, engine.limits.max_upload_bytes + (1 << 20), uploads)
        try:
            _, _, share_url = page.launch(
                server_name=options.host,
                server_port=port,
                share=options.share,
                auth=_check_of(options.password),  # pyright: ignore[reportArgumentType]
                max_file_size=engine.limits.max_upload_bytes,
                app_kwargs={
                    "routes": make_routes(engine, examples, _is_let_in),
                    "middleware": [Middleware(Guard, rules=rules)],  # pyright: ignore[reportArgumentType]
                    "docs_url": None, "redoc_url": None, "openapi_url": None,
                },
                **SAFE,
                **launch_arguments(),
            )  # fmt: skip
        except OSError as error:
            raise ResourceError(
                f"port {options.port} of {options.host} cannot be used ({error})", hint="use --port 0"
            ) from error
        held.callback(page.close, verbose=False)
        if options.share and not share_url:
            raise ResourceError(
                "no tunnel could be set up", hint="the machine must reach Gradio's servers; or use --host"
            )
        yield Serving(f"http://{_shown(options.host)}:{port}/", share_url or None)


def read_password(path: Path) -> str:
    """The first line of a file.

    Raises:
        ResourceError: It cannot be read, is empty, or others may read it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        others = os.name != "nt" and path.stat().st_mode & 0o077
    except (OSError, ValueError) as error:
        raise ResourceError(
            f"{path}: the password cannot be read ({error})", hint="name a file with one line"
        ) from error
    if not lines or not lines[0].strip():
        raise ResourceError(f"{path}: holds no password", hint="write it into the first line")
    if others:
        raise ResourceError(f"{path}: others may read it", hint=f"chmod 600 {path}")
    return lines[0].strip()


def _check_of(password: str | None) -> Callable[[str, str], Awaitable[bool]] | None:
    """Whether user name and password are right.

    One try is looked at after the other, and a wrong one takes its time: many at once are no faster than one by one.
    """
    if password is None:
        return None
    expected, turn = password.encode(), asyncio.Lock()

    async def check(user: str, given: str) -> bool:
        async with turn:
            right = secrets.compare_digest(given.encode(), expected)
            right &= secrets.compare_digest(user.encode(), USER.encode())
            if not right:
                await asyncio.sleep(SECONDS_AFTER_A_WRONG_PASSWORD)
        return right

    return check


def _is_let_in(request: Any) -> bool:
    """Whether who asks has given the password, where there is one; by the cookie that Gradio's login sets."""
    app = request.app
    if app.auth is None:
        return True
    names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
    return any(app.tokens.get(request.cookies.get(name)) is not None for name in names)


def _rules(options: ServerOptions, port: int, max_upload_bytes: int, uploads: Path) -> Rules:
    """Which names mean this server."""
    names = frozenset(name.lower() for name in options.names)
    rules = Rules(max_upload_bytes, frozenset(), names, TUNNEL if options.share else "", uploads)
    if options.host in LOOPBACK:
        return replace(rules, hosts=frozenset(f"{name}:{port}" for name in LOOPBACK))
    return replace(rules, names=names | {"localhost", options.host.lower()})


def _free_port(options: ServerOptions) -> int:
    """The port, or one that is free."""
    if not 0 <= options.port <= 65535:
        raise ResourceError(f"there is no port {options.port}", hint="use --port 0, or one up to 65535")
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((options.host, options.port))
            return probe.getsockname()[1]
    except OSError as error:
        raise ResourceError(
            f"port {options.port} of {options.host} cannot be used ({error.strerror or error})", hint="use --port 0"
        ) from error


def _shown(host: str) -> str:
    return "127.0.0.1" if host == "0.0.0.0" else host


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set for as long as the server runs; Gradio reads some of it again and again."""
    before: dict[str, Any] = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
