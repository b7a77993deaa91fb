"""Every file that the viewer's server hands out, by its path; there is no other."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

STATIC = Path(str(files("app.viewer"))) / "static"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".ply": "application/octet-stream",
}
INDEX = "index.html"
DESCRIPTION, GAUSSIANS = "scene.json", "gaussians.ply"


@dataclass(frozen=True)
class Resource:
    """One thing to hand out.

    Attributes:
        kind: Its media type.
        content: In memory, or a file.
    """

    kind: str
    content: bytes | Path


Site = dict[str, Resource]
"""By path relative to the page, "" for the page itself."""


def make_site(description: dict[str, Any], gaussians: Path) -> Site:
    """The page, its scripts, and one scene."""
    site = {
        path.relative_to(STATIC).as_posix(): Resource(TYPES[path.suffix], path)
        for path in sorted(STATIC.rglob("*"))
        if path.is_file() and path.suffix in (".html", ".js", ".css")
    }
    site[""] = site.pop(INDEX)
    site[DESCRIPTION] = Resource(TYPES[".json"], json.dumps(description, allow_nan=False).encode())
    site[GAUSSIANS] = Resource(TYPES[".ply"], gaussians)
    return site


def content_security_policy() -> str:
    """What the page may load: its own files, the one inline import map, and Spark's worker and WebAssembly.

    Spark starts its worker from a blob and carries its WebAssembly as a data URL; nothing leads to another machine.
    """
    page = (STATIC / INDEX).read_text(encoding="utf-8")
    maps = re.findall(r'<script type="importmap">(.*?)</script>', page, re.DOTALL)
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(m.encode()).digest()).decode()}'" for m in maps)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'wasm-unsafe-eval' {hashes}",
            "worker-src blob:",
            "connect-src 'self' data:",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


@contextmanager
def as_ply(path: Path) -> Iterator[Path]:
    """The file itself if it is a plain PLY of this program, else a copy in that form that is removed at the end."""
    from recon.io.splats.files import read_gaussians
    from recon.io.splats.ply import write_ply

    if path.name == GAUSSIANS:
        yield path
        return
    with TemporaryDirectory(prefix="recon-view-") as folder:
        copy = Path(folder) / GAUSSIANS
        write_ply(copy, read_gaussians(path))
        yield copy
