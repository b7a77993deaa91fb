import asyncio
import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client

from app.web.engine import Engine
from app.web.limits import WebLimits
from tests.app.web.fake_workers import write_workers
from tests.app.web.page.staged import write_staged_worker, write_template
from tests.app.web.served import client_of


@dataclass(frozen=True)
class Site:
    """A running page.

    Attributes:
        url: Of the page, ending in "/".
        engine: Behind it.
    """

    url: str
    engine: Engine
    _held: contextlib.ExitStack

    def client(self) -> Client:
        """A program that uses the page; it ends after the server."""
        return self._held.enter_context(client_of(self.url))


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


@contextlib.contextmanager
def sites(folder: Path) -> Iterator[Callable[..., Site]]:
    """Starts pages with a worker module of that name; all of them end with the block."""
    from app.web.server import ServerOptions, serving

    with contextlib.ExitStack() as held:
        clients = held.enter_context(contextlib.ExitStack())
        numbers = itertools.count()

        def start(worker: str = "staged_worker", limits: WebLimits | None = None, **options: str) -> Site:
            root = folder / f"jobs-{next(numbers)}"
            engine = held.enter_context(Engine(limits or WebLimits(num_workers=2), root, worker=worker))
            server = in_a_loop(lambda: held.enter_context(serving(engine, ServerOptions(port=0, **options))))
            return Site(server.url, engine, clients)

        yield start


def in_a_loop(call: Callable[[], Any]) -> Any:
    """What a call gives within an event loop: where Gradio finds none, it makes some and never closes them."""

    async def called() -> Any:
        return call()

    with ThreadPoolExecutor(1) as thread:  # for Playwright's loop may be at work in this one
        return thread.submit(asyncio.run, called()).result()


@pytest.fixture
def make_site(worker_modules: None, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Starts a page with a worker module of that name; it ends with the test."""
    with sites(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def site(worker_modules: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The page of all tests of a file."""
    with sites(tmp_path_factory.mktemp("site")) as start:
        yield start()
