"""Pages that stay open whatever happens, as the script of a browser does: they come back, say what
they have seen, and show what they are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from livecounters.visitors import COOKIE, mint

AGAIN = 0.3


class Page:
    """One of a guest's; ``addresses`` are servers that it may come to."""

    def __init__(self, addresses: Sequence[str], *topics: str) -> None:
        self._addresses = addresses
        self._topics = topics
        self._cookie = f"{COOKIE}={mint()}"
        self._tried = 0
        self.values: dict[str, Any] = {}
        self.shown: list[int] = []
        """The numbers of the feed's events, as they stand on the page."""
        self.epoch: str | None = None
        self.seq: int | None = None
        self.opened = 0

    async def stay(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(OSError, WebSocketException, TimeoutError):
                await self._visit()
            await asyncio.sleep(AGAIN)

    async def _visit(self) -> None:
        address = self._addresses[self._tried % len(self._addresses)]
        self._tried += 1
        url = address.replace("http", "ws", 1) + "/ws/live/?v=1"
        headers = {"Cookie": self._cookie}
        async with connect(url, additional_headers=headers, max_size=None) as socket:
            self.opened += 1
            asked = {"op": "subscribe", "topics": self._topics}
            if self.seq is not None:
                asked |= {"epoch": self.epoch, "seq": self.seq}
            await socket.send(json.dumps(asked))
            await socket.send('{"op":"presence"}')
            async for text in socket:
                await self._hear(socket, json.loads(text))

    async def _hear(self, socket: ClientConnection, frame: dict[str, Any]) -> None:
        self.values |= frame.get("values", {})
        events = [event["seq"] for event in frame.get("events", [])]
        self.shown = events if frame["op"] == "reset" else self.shown + events
        assert len(set(self.shown)) == len(self.shown), "an event is shown twice"
        if frame["op"] in ("values", "events", "reset"):
            self.epoch, self.seq = frame["epoch"], frame["seq"]
        if frame["op"] == "beat":
            await socket.send('{"op":"presence"}')


@asynccontextmanager
async def opened(number: int, addresses: Sequence[str], *topics: str) -> AsyncIterator[list[Page]]:
    """So many pages."""
    pages = [
        Page([*addresses[n % len(addresses) :], *addresses[: n % len(addresses)]], *topics)
        for n in range(number)
    ]
    tasks = [asyncio.create_task(page.stay()) for page in pages]
    try:
        yield pages
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def within(seconds: float, holds: Callable[[], bool], what: Callable[[], Any]) -> float:
    """Until it holds; how long that took, or an error that says how it is."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not holds():
        if loop.time() > began + seconds:
            raise AssertionError(f"not so after {seconds:g} s: {what()}")
        await asyncio.sleep(0.05)
    return loop.time() - began
