"""What the browser fetches besides the page: files of a job, its scene viewer, the sample's photographs.

The id of a job is the key to it. Nothing but the files of its results and previews can be reached.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.viewer.site import Resource, content_security_policy, make_site
from app.web.engine import FILTERED, Engine
from app.web.jobs.work import PREVIEW, RESULT
from app.web.results.view_files import view_file
from recon.errors import ExportError, ReconError
from recon.io.inside import find_inside

Answer = Callable[[Request], Response]
KINDS = {
    ".jpg": "image/jpeg", ".png": "image/png", ".mp4": "video/mp4", ".json": "application/json",
    ".glb": "model/gltf-binary",
}  # fmt: skip
SHOWN = (PREVIEW, RESULT, FILTERED)
"""Folders of a job that can be reached."""
VIEWS = {
    "poses": (f"{PREVIEW}/poses.ply", "poses"),
    "gaussians": (f"{PREVIEW}/gaussians.ply", "gaussians"),
    "refinement": (f"{PREVIEW}/refinement.ply", "refinement"),
    "result": (f"{RESULT}/gaussians.ply", "result"),
    "mesh": (f"{RESULT}/mesh.glb", "result"),
    FILTERED: (f"{FILTERED}/gaussians.ply", "result"),
}
"""Of each view its Gaussians or surface, and which `PREVIEW/NAME.view.json` describes it."""
SECONDS_IN_CACHE = 3600


def make_routes(engine: Engine, examples: Sequence[Path], is_let_in: Callable[[Request], bool]) -> list[Route]:
    """The routes.

    Args:
        engine: Knows the jobs.
        examples: Photographs of the sample.
        is_let_in: Whether who asks has logged in, where that is needed.
    """
    policy = content_security_policy(framed_by="'self'")
    samples = {path.name: path for path in examples}

    def file(request: Request) -> Response:
        folder = _folder(engine, request)
        name = request.path_params["name"]
        found = None if folder is None else _inside(folder, name)
        if found is None:
            return _nothing()
        is_picture = found.suffix in (".jpg", ".png")
        return _send(found, KINDS.get(found.suffix, "application/octet-stream"), SECONDS_IN_CACHE if is_picture else 0)

    def view(request: Request) -> Response:
        folder = _folder(engine, request)
        what, name = request.path_params["what"], request.path_params["name"]
        resource = None if folder is None else _of_view(folder, what, name)
        if resource is None:
            return _nothing()
        headers = {"content-security-policy": policy}
        if isinstance(resource.content, bytes):
            return Response(resource.content, media_type=resource.kind, headers=headers | {"cache-control": "no-store"})
        is_fixed = resource.content.suffix in (".js", ".css")
        return _send(resource.content, resource.kind, SECONDS_IN_CACHE if is_fixed else 0, headers)

    def archive(request: Request) -> Response:
        try:
            download = engine.archive(request.path_params["job"])
        except ExportError as error:
            return PlainTextResponse(str(error), status_code=507)
        except ReconError:
            return _nothing()
        return FileResponse(download.path, media_type="application/zip", filename=download.name)

    def example(request: Request) -> Response:
        found = samples.get(request.path_params["name"])
        return _nothing() if found is None else _send(found, "image/jpeg", SECONDS_IN_CACHE)

    answers: dict[str, Answer] = {
        "/jobs/{job}/files/{name:path}": file,
        "/jobs/{job}/view/{what}/{name:path}": view,
        "/jobs/{job}/all.zip": archive,
        "/examples/{name}": example,
    }
    return [Route(path, _behind_the_password(answer, is_let_in)) for path, answer in answers.items()]


def _behind_the_password(answer: Answer, is_let_in: Callable[[Request], bool]) -> Answer:
    def guarded(request: Request) -> Response:
        return answer(request) if is_let_in(request) else PlainTextResponse("log in first", status_code=401)

    return guarded


def _folder(engine: Engine, request: Request) -> Path | None:
    try:
        return engine.folder(request.path_params["job"])
    except ReconError:
        return None


def _inside(folder: Path, name: str) -> Path | None:
    """The file of the job with that name; None for everything else."""
    top, _, rest = name.partition("/")
    if top not in SHOWN or any(part == "" or part.startswith(".") for part in rest.split("/")):
        return None
    try:
        return find_inside("the job", folder / top, rest)
    except ReconError:
        return None


def _of_view(folder: Path, what: str, name: str) -> Resource | None:
    """What the viewer of a job asks for."""
    if what not in VIEWS:
        return None
    shown, described = folder / VIEWS[what][0], folder / PREVIEW / view_file(VIEWS[what][1])
    if not shown.is_file() or not described.is_file():
        return None
    description = json.loads(described.read_bytes())
    pictures = [folder / PREVIEW / picture for picture in description.pop("pictures")]
    return make_site(description, shown, pictures).get(name)


def _send(path: Path, kind: str, seconds_in_cache: int, headers: dict[str, str] | None = None) -> Response:
    kept = f"private, max-age={seconds_in_cache}" if seconds_in_cache else "no-store"
    return FileResponse(path, media_type=kind, headers={**(headers or {}), "cache-control": kept})


def _nothing() -> Response:
    return PlainTextResponse("there is nothing here", status_code=404)
