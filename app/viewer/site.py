"""Every file that the viewer's server hands out, by its path; there is no other."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
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
    ".glb": "model/gltf-binary",
    ".png": "image/png",
    ".jpg": "image/jpeg",
}
INDEX = "index.html"
DESCRIPTION, GAUSSIANS, SURFACE = "scene.json", "gaussians.ply", "mesh.glb"


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


def make_site(description: dict[str, Any], shown: Path, pictures: Sequence[Path | None] = ()) -> Site:
    """The page, its scripts, and one scene.

    Args:
        description: See `app.viewer.description.describe`.
        shown: Gaussians as a plain PLY, or a surface as `recon.io.mesh_glb` writes it.
        pictures: The photograph (.png or .jpg) of each camera of the description, None where there is none; the page
            shows them in a strip, and each leads to its place.
    """
    photographs = {f"photographs/{i}{path.suffix}": path for i, path in enumerate(pictures) if path is not None}
    if photographs:
        names = [None if path is None else f"photographs/{i}{path.suffix}" for i, path in enumerate(pictures)]
        cameras = [camera | {"picture": name} for camera, name in zip(description["cameras"], names, strict=True)]
        description = description | {"cameras": cameras}
    name = GAUSSIANS
    if shown.suffix == Path(SURFACE).suffix:
        name, description = SURFACE, description | {"surface": SURFACE}
    told = Resource(TYPES[".json"], json.dumps(description, allow_nan=False).encode())
    own = {DESCRIPTION: told, name: Resource(TYPES[shown.suffix], shown)}
    return _static() | own | {name: Resource(TYPES[path.suffix], path) for name, path in photographs.items()}


@cache
def _static() -> Site:
    """Page, scripts and styles, which stay as they are while the program runs."""
    site = {
        path.relative_to(STATIC).as_posix(): Resource(TYPES[path.suffix], path)
        for path in sorted(STATIC.rglob("*"))
        if path.is_file() and path.suffix in (".html", ".js", ".css")
    }
    site[""] = site.pop(INDEX)
    return site


def pictures_of(folder: Path, names: Sequence[str]) -> list[Path | None]:
    """The views that a result folder keeps in `images`, one for each name; None for those it does not keep."""
    from recon.io.names import safe_stem, unique_names

    files = [folder / "images" / file for file in unique_names(f"{safe_stem(name)}.png" for name in names)]
    return [file if file.is_file() else None for file in files]


def content_security_policy(*, framed_by: str = "'none'") -> str:
    """What the page may load: its own files, the one inline import map, and Spark's worker and WebAssembly.

    Spark starts its worker from a blob and carries its WebAssembly as a data URL; nothing leads to another machine.

    Args:
        framed_by: Which pages may show it inside them, as the policy's `frame-ancestors` says it.
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
            f"frame-ancestors {framed_by}",
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
