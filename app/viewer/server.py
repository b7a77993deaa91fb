"""A server for one page on this machine.

It listens on 127.0.0.1 only, answers GET and HEAD only, and knows its few files by name, so that no path leads
elsewhere. Other users of the machine, and other pages in the browser, are kept out: every path begins with a random
token, and a request whose Host is not this server's is refused, which stops pages that point a name of theirs at
127.0.0.1 (DNS rebinding).
"""

import hmac
import os
import secrets
import shutil
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

from app.viewer.site import Resource, Site, content_security_policy
from recon.errors import ResourceError

LOOPBACK = "127.0.0.1"
TIMEOUT_SECONDS = 60


class ViewerServer(ThreadingHTTPServer):
    """Serves a site at `url`."""

    daemon_threads = True
    # Elsewhere this lets a server start again at once; on Windows it would let two servers share a port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, site: Site, port: int = 0):
        """Bind.

        Args:
            site: All that is handed out.
            port: Of the loopback address; 0 for any free one.

        Raises:
            ResourceError: The port is taken or not allowed.
        """
        if not 0 <= port <= 65535:
            raise ResourceError(f"there is no port {port}", hint="use --port 0, or one up to 65535")
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise ResourceError(f"port {port} cannot be used ({error.strerror})", hint="use --port 0") from error
        self.site = site
        self.token = secrets.token_urlsafe(16)
        self.policy = content_security_policy()

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/"

    def find(self, path: str) -> Resource | None:
        """What is handed out under a request's path; None for everything else."""
        token, slash, name = path.split("?", 1)[0].removeprefix("/").partition("/")
        if not slash or not hmac.compare_digest(token.encode(), self.token.encode()):
            return None
        return self.site.get(name)

    def is_own_host(self, host: str | None) -> bool:
        """Whether a request's Host is this server."""
        return host in (f"{LOOPBACK}:{self.server_port}", f"localhost:{self.server_port}")


class _Handler(BaseHTTPRequestHandler):
    server: ViewerServer  # pyright: ignore[reportIncompatibleVariableOverride]
    server_version, sys_version = "recon", ""
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_SECONDS

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        if not self.server.is_own_host(self.headers.get("Host")):
            self.send_error(HTTPStatus.FORBIDDEN, "another host is meant")
            return
        resource = self.server.find(self.path)
        if resource is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            if isinstance(resource.content, bytes):
                self._send_head(resource.kind, len(resource.content))
                if with_body:
                    self.wfile.write(resource.content)
            else:
                self._send_file(resource.kind, resource.content, with_body=with_body)
        except ConnectionError:  # the browser went away
            self.close_connection = True

    def _send_file(self, kind: str, path: Path, *, with_body: bool) -> None:
        try:
            file: BinaryIO = path.open("rb")
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND, "the file is gone")
            return
        with file:
            self._send_head(kind, path.stat().st_size)
            if with_body:
                shutil.copyfileobj(file, self.wfile, 1 << 20)

    def _send_head(self, kind: str, num_bytes: int) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(num_bytes))
        self.end_headers()

    def end_headers(self) -> None:
        """Every answer carries the rules for the browser."""
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: requests are of no interest to who looks at a scene."""
