"""Requests whose bytes are still to come: how many, and how long they may be silent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

SECONDS_OF_SILENCE = 60.0
"""After which whoever sends is taken to be gone."""
GONE = "http.disconnect"


def unless_silent(receive: Receive) -> Receive:
    """As `receive`, but whoever sends nothing for too long is gone; once all is there, silence is no matter."""
    is_whole = False

    async def received() -> Message:
        nonlocal is_whole
        try:
            message = await asyncio.wait_for(receive(), None if is_whole else SECONDS_OF_SILENCE)
        except TimeoutError:
            return {"type": GONE}
        is_whole = is_whole or not message.get("more_body", False)
        return message

    return received


class Upload:
    """One upload, of which `left` bytes are still to come."""

    def __init__(self, arriving: "Arriving", num_bytes: int):
        self._arriving, self.left = arriving, num_bytes

    def counted(self, receive: Receive) -> Receive:
        """As `unless_silent`; what has come is no longer expected."""
        patient = unless_silent(receive)

        async def received() -> Message:
            message = await patient()
            self.take(len(message.get("body", b"")))
            return message

        return received

    def take(self, num_bytes: int) -> None:
        """So many bytes have come, or will not come."""
        num_bytes = min(num_bytes, self.left)
        self.left -= num_bytes
        self._arriving.num_bytes -= num_bytes


class Arriving:
    """All uploads that are under way.

    Attributes:
        num_bytes: That they stated and that have not come yet; what has come takes room on the disk already.
    """

    def __init__(self) -> None:
        self.num_bytes = 0

    @contextmanager
    def expecting(self, num_bytes: int) -> Iterator[Upload]:
        """An upload of that size, until the end of the block."""
        self.num_bytes += num_bytes
        upload = Upload(self, num_bytes)
        try:
            yield upload
        finally:
            upload.take(upload.left)
