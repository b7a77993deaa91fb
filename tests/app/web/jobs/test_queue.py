import threading
from pathlib import Path

import pytest

from app.web.jobs.events import Cancelled, Done, Failed, Started, Waiting
from app.web.jobs.job import Job
from app.web.jobs.queue import JobQueue
from app.web.jobs.settings import JobSettings
from recon.errors import ResourceError


def new_job(name: str) -> Job:
    return Job(name, Path(name), JobSettings())


class Gate:
    """Works on a job until the gate is open."""

    def __init__(self):
        self.opened, self.started, self.now, self.most = threading.Event(), threading.Semaphore(0), 0, 0
        self.lock = threading.Lock()

    def run(self, job: Job) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        job.tell(Started())
        self.started.release()
        self.opened.wait(10)
        with self.lock:
            self.now -= 1
        job.tell(Done((), 0.0))


@pytest.fixture
def gate():
    return Gate()


def test_jobs_run_in_turn_and_learn_their_position(gate):
    queue = JobQueue(gate.run, 1, 5)
    jobs = [new_job(str(i)) for i in range(3)]
    queue.put(jobs[0])
    gate.started.acquire(timeout=5)
    for job in jobs[1:]:
        queue.put(job)
    assert [job.status().position for job in jobs] == [None, 1, 2]
    gate.opened.set()
    assert all(job.wait(5) for job in jobs)
    assert jobs[2].events == [Waiting(2), Waiting(1), Started(), Done((), 0.0)]
    queue.close()


def test_never_more_at_once_than_workers(gate):
    queue = JobQueue(gate.run, 3, 20)
    jobs = [new_job(str(i)) for i in range(12)]
    for job in jobs:
        queue.put(job)
    for _ in range(3):
        assert gate.started.acquire(timeout=5)
    gate.opened.set()
    assert all(job.wait(5) for job in jobs)
    assert gate.most == 3
    queue.close()


def test_a_full_queue_refuses_with_numbers(gate):
    queue = JobQueue(gate.run, 1, 2)
    queue.put(new_job("0"))
    gate.started.acquire(timeout=5)
    for i in (1, 2):
        queue.put(new_job(str(i)))
    late = new_job("3")
    with pytest.raises(ResourceError, match="1 jobs run and 2 wait, at most 2 may wait"):
        queue.put(late)
    with pytest.raises(ResourceError, match="at most 2"):
        queue.require_room()
    assert late.events == []
    gate.opened.set()
    queue.close()


def test_a_waiting_job_can_be_taken_out_and_the_others_move_up(gate):
    queue = JobQueue(gate.run, 1, 5)
    first, second, third = (new_job(name) for name in "abc")
    queue.put(first)
    gate.started.acquire(timeout=5)
    queue.put(second)
    queue.put(third)
    assert queue.take_out(second)
    assert not queue.take_out(second)
    assert not queue.take_out(first)
    assert third.status().position == 1
    gate.opened.set()
    assert third.wait(5)
    queue.close()


def test_an_error_of_one_job_does_not_stop_the_next():
    def run(job: Job) -> None:
        if job.id == "bad":
            raise ZeroDivisionError
        job.tell(Done((), 0.0))

    queue = JobQueue(run, 1, 5)
    bad, good = new_job("bad"), new_job("good")
    queue.put(bad)
    queue.put(good)
    assert bad.wait(5)
    assert good.wait(5)
    assert isinstance(bad.events[-1], Failed)
    assert good.status().state == "done"
    queue.close()
    with pytest.raises(ResourceError, match="ends"):
        queue.put(new_job("late"))


def test_nothing_happens_after_the_last_event():
    job = new_job("a")
    job.tell(Started())
    job.tell(Cancelled())
    job.tell(Done((), 1.0))
    assert list(job.follow()) == [Started(), Cancelled()]
    assert job.status().state == "cancelled"


def test_who_follows_late_or_in_parallel_sees_everything():
    job = new_job("a")
    seen: list[list] = [[], []]
    threads = [threading.Thread(target=lambda to=to: to.extend(job.follow(timeout=5))) for to in seen]
    for thread in threads:
        thread.start()
    events = [Waiting(1), Started(), Done((), 1.0)]
    for event in events:
        job.tell(event)
    for thread in threads:
        thread.join()
    assert seen == [events, events]
    assert list(job.follow()) == events
    with pytest.raises(TimeoutError):
        next(new_job("b").follow(timeout=0.01))
