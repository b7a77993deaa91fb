"""Uploads under way: how much is still to come, and who has fallen silent."""

import asyncio

import pytest

from app.web import arriving
from app.web.arriving import GONE, Arriving, Message, unless_silent


def parts(*sizes: int) -> list[Message]:
    messages: list[Message] = [{"type": "http.request", "body": bytes(size), "more_body": True} for size in sizes]
    messages[-1]["more_body"] = False
    return messages


def receiver(messages: list[Message]):
    """Gives the messages, then is silent."""

    async def receive() -> Message:
        if not messages:
            await asyncio.sleep(3600)
        return messages.pop(0)

    return receive


def test_what_has_come_is_no_longer_expected() -> None:
    async def upload() -> list[int]:
        under_way = Arriving()
        seen = []
        with under_way.expecting(50), under_way.expecting(100) as one:
            receive = one.counted(receiver(parts(30, 60, 60)))  # more than it stated
            for _ in range(3):
                seen.append(under_way.num_bytes)
                await receive()
            seen.append(under_way.num_bytes)
        return [*seen, under_way.num_bytes]

    assert asyncio.run(upload()) == [150, 120, 60, 50, 0]


def test_an_upload_that_breaks_off_is_expected_no_more() -> None:
    under_way = Arriving()
    with pytest.raises(ConnectionError), under_way.expecting(100):
        raise ConnectionError
    assert under_way.num_bytes == 0


def test_who_is_silent_is_gone_but_not_once_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "SECONDS_OF_SILENCE", 0.05)

    async def ask(messages: list[Message], times: int) -> Message:
        receive = unless_silent(receiver(messages))
        for _ in range(times - 1):
            await receive()
        return await receive()

    assert asyncio.run(ask([{"type": "http.request", "body": b"a", "more_body": True}], 2)) == {"type": GONE}
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(ask(parts(1), 2), 0.3))
