"""What no request gets past: a wall around the whole server, before Gradio or any route sees it.

Gradio answers on many paths that this page has no use for; each is one more way in. Only those that the page and the
Python client need are let through. Requests that mean another host are refused, which stops pages that point a name of
theirs at this machine (DNS rebinding), and so is whatever a page of another site sends. Files are uploaded, never
fetched: a request that names a file by an address is refused before anything could fetch it.
"""

import ipaddress
import json
import logging
import re
import shutil
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect

from app.web import texts
from app.web.arriving import Arriving, Message, Receive, unless_silent
from app.web.limits import MIN_FREE_BYTES

log = logging.getLogger(__name__)

Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

PATHS = re.compile(
    r"/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt|login|logout)?/?"
    r"|/(assets|static|svelte|jobs|examples)/[^\\]*"
    r"|/gradio_api/(info|queue/(join|data)|upload|upload_progress|startup-events|app_id|login_check|user|token|cancel|reset)/?"
    r"|/gradio_api/(call|heartbeat|component_server|file=)[^\\]*"
)
METHODS = frozenset(("GET", "HEAD", "POST"))
UPLOAD, LOGIN = "/gradio_api/upload", "/login"
OTHER_SITES = ("cross-site", "same-site")
"""What browsers put into Sec-Fetch-Site when a page of another origin asks."""
MAX_JSON_BYTES = 1 << 20
ADDRESS = re.compile(r"\s*([a-z][a-z0-9+.-]{1,20}:|//|\\\\)", re.IGNORECASE)

PAGE_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Gradio's front end has inline scripts and templates
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "content-security-policy": PAGE_POLICY,
}
"""Of every answer that does not bring its own."""


@dataclass(frozen=True)
class Rules:
    """What the wall holds to.

    Attributes:
        max_upload_bytes: Size of one upload, all its files together.
        hosts: Values of the Host header that mean this server; None where any name may lead here.
        tunnel: End of the names by which a tunnel leads here; empty for no tunnel.
        names: Names that mean this server with any port, beside every address in numbers; none if empty.
        disk: Folder of the uploads, whose disk must have room for them; None where that is of no matter.
    """

    max_upload_bytes: int
    hosts: frozenset[str] | None = None
    names: frozenset[str] = frozenset()
    tunnel: str = ""
    disk: Path | None = None

    def mean(self, host: str) -> bool:
        """Whether a Host header means this server."""
        if self.hosts is None or host in self.hosts:
            return True
        name = re.sub(r":\d+$", "", host).strip("[]")
        if self.tunnel and name.lower().endswith(self.tunnel):
            return True
        return bool(self.names) and (name.lower() in self.names or _is_number(name))


class Guard:
    """The wall, as ASGI middleware."""

    def __init__(self, app: App, rules: Rules):
        self.app = app
        self.rules = rules
        self._arriving = Arriving()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope["method"], scope["path"], headers)
        if refusal is None and scope["method"] == "POST" and scope["path"].rstrip("/") != UPLOAD:
            body = await _read(unless_silent(receive), MAX_JSON_BYTES)
            if body is None:
                refusal = 413, "the request is too large"
            elif scope["path"].rstrip("/") != LOGIN:  # a form, which names no files
                refusal = _refusal_of_body(body)
            receive = _again(body or b"", receive)
        if refusal is not None:
            await _answer(_with_headers(send), *refusal)
            return
        if (num_bytes := _size_of_upload(scope["method"], scope["path"], headers)) is None:
            await self.app(scope, receive, _with_headers(send))
            return
        with self._arriving.expecting(num_bytes) as upload:
            try:
                await self.app(scope, upload.counted(receive), _with_headers(send))
            except ClientDisconnect:
                log.info("an upload broke off")
                await _answer(_with_headers(send), 408, "the upload broke off")

    def _refusal(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str] | None:
        if not self.rules.mean(headers.get("host", "")):
            return 403, "another host is meant"
        if method == "POST" and headers.get("sec-fetch-site") in OTHER_SITES:
            return 403, "another site asks"
        if method not in METHODS:
            return 405, "only GET, HEAD and POST are answered here"
        if not PATHS.fullmatch(path) or "/../" in f"{path}/":
            return 404, "there is nothing here"
        if path.startswith("/gradio_api/file=") and ADDRESS.match(path.removeprefix("/gradio_api/file=")):
            return 403, "files are uploaded, not fetched"
        if path.rstrip("/") == UPLOAD and method == "POST":
            length = headers.get("content-length", "")
            if "transfer-encoding" in headers or not length.isascii() or not length.isdigit():
                return 411, "the size of the upload is not stated"
            return self._refusal_of_upload(int(length))
        return None

    def _refusal_of_upload(self, num_bytes: int) -> tuple[int, str] | None:
        if num_bytes > self.rules.max_upload_bytes:
            return 413, f"the upload has {num_bytes:,} bytes, at most {self.rules.max_upload_bytes:,} are taken"
        if self.rules.disk is None:
            return None
        free = shutil.disk_usage(self.rules.disk).free
        others = self._arriving.num_bytes
        if num_bytes + others + MIN_FREE_BYTES > free:
            values = {"upload": num_bytes, "free": free, "others": others, "kept": MIN_FREE_BYTES}
            return 507, texts.NO_ROOM.format(**{name: f"{value / 1e6:,.0f}" for name, value in values.items()})
        return None


def _size_of_upload(method: str, path: str, headers: dict[str, str]) -> int | None:
    """What an upload that was let through states; None of every other request."""
    return int(headers["content-length"]) if method == "POST" and path.rstrip("/") == UPLOAD else None


def names_an_address(content: Any) -> bool:
    """Whether a request's JSON names a file by an address (`http:`, `file:`, `//host`) instead of an uploaded one."""
    if isinstance(content, dict):
        path = content.get("path")
        return (isinstance(path, str) and bool(ADDRESS.match(path))) or any(map(names_an_address, content.values()))
    return isinstance(content, list) and any(map(names_an_address, content))


def _refusal_of_body(body: bytes) -> tuple[int, str] | None:
    try:
        content = json.loads(body) if body else None
        fetches = names_an_address(content)
    except (ValueError, RecursionError):
        return 400, "the request cannot be read"
    return (400, "files are uploaded, not fetched") if fetches else None


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _read(receive: Receive, most: int) -> bytes | None:
    """The body, None if it has more than `most` bytes."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, then what comes after it."""
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return parts.pop() if parts else await receive()

    return replay


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", [])}
            added = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in present]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return wrapped


async def _answer(send: Send, status: int, words: str) -> None:
    body = words.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
