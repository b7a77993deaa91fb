import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.web.engine import Engine
from app.web.limits import WebLimits
from tests.app.web.fake_workers import write_workers
from tests.app.web.page.staged import write_staged_worker, write_template

LEFT_OPEN = (
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:.future.no_silent_downcasting. is deprecated",
)
"""Gradio and its client leave sockets and event loops open when they end, and use what pandas will drop."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for words in LEFT_OPEN:
                item.add_marker(pytest.mark.filterwarnings(words))


@dataclass(frozen=True)
class Site:
    """A running page.

    Attributes:
        url: Of the page, ending in "/".
        engine: Behind it.
    """

    url: str
    engine: Engine


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_template(tmp_path_factory.mktemp("template"), mesh=False)


@pytest.fixture(scope="session")
def worker_modules(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[None]:
    """`staged_worker` plays a small scene back at once, `slow_worker` with pauses; and those of `fake_workers`."""
    folder = tmp_path_factory.mktemp("modules")
    write_workers(folder)
    write_staged_worker(folder / "staged_worker.py", template, pause=0.02)
    write_staged_worker(folder / "slow_worker.py", template, pause=0.6)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def make_site(worker_modules: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Starts a page with a worker module of that name; all of them end with the tests of the file."""
    from app.web.server import ServerOptions, serving

    with contextlib.ExitStack() as held:

        def start(worker: str = "staged_worker", limits: WebLimits | None = None, **options: str) -> Site:
            root = tmp_path_factory.mktemp("jobs")
            engine = held.enter_context(Engine(limits or WebLimits(num_workers=2), root, worker=worker))
            server = held.enter_context(serving(engine, ServerOptions(port=0, **options)))
            return Site(server.url, engine)

        yield start
    gc.collect()  # so that what Gradio left open is told of here, where it is not an error


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()
