"""One job, watched by several."""

import asyncio
import threading
from pathlib import Path

from app.web.jobs.events import Cancelled, Event, Progress, Started
from app.web.jobs.job import Job
from app.web.jobs.settings import JobSettings

HAPPENED: list[Event] = [Started(), Progress("load", "reading", 0.1), Progress("poses", "placing", 0.2), Cancelled()]


def test_everybody_who_watches_hears_everything_and_no_thread_waits(tmp_path: Path) -> None:
    job = Job("x", tmp_path, JobSettings())
    threads = threading.active_count()

    async def heard() -> list[Event]:
        return [event async for events in job.watch() for event in events]

    async def all_of_it() -> list[list[Event]]:
        watchers = [asyncio.create_task(heard()) for _ in range(300)]
        for event in HAPPENED:
            await asyncio.sleep(0.05)
            job.tell(event)
        assert threading.active_count() == threads
        return await asyncio.gather(*watchers)

    assert asyncio.run(all_of_it()) == [HAPPENED] * 300
    assert list(job.follow()) == HAPPENED
