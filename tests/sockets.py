"""A page's socket, as the tests speak it: frames in, frames out, real routing in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from asgiref.testing import ApplicationCommunicator

from livecounters import relay
from livecounters.routing import application
from tests import contract

WAIT = 10


async def no_django(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("no HTTP here")


def communicator(path: str, query: str = "", headers: Any = ()) -> ApplicationCommunicator:
    scope = {
        "type": "websocket",
        "path": path,
        "query_string": query.encode(),
        "headers": list(headers),
        "subprotocols": [],
    }
    return ApplicationCommunicator(application(no_django), scope)


class Socket:
    def __init__(self, query: str = "v=1&lang=en", headers: Any = ()) -> None:
        self.asgi = communicator("/ws/live/", query, headers)
        self.frames: list[dict[str, Any]] = []

    async def give(self, text: str | None = None, data: bytes | None = None) -> None:
        """Send a frame as it is."""
        await self.asgi.send_input({"type": "websocket.receive", "text": text, "bytes": data})

    async def message(self) -> dict[str, Any]:
        """The next message of the server: a frame or a close."""
        found: dict[str, Any] = await self.asgi.receive_output(WAIT)
        return found

    async def send(self, **frame: Any) -> None:
        await self.give(json.dumps(frame))

    async def subscribe(self, *topics: str, **place: Any) -> None:
        await self.send(op="subscribe", topics=list(topics), **place)

    async def frame(self) -> dict[str, Any]:
        """The next frame, which is one that was promised."""
        frame: dict[str, Any] = json.loads((await self.message())["text"])
        wrong = contract.frame_error("send", frame)
        assert not wrong, wrong
        self.frames.append(frame)
        return frame

    async def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first frame of which something holds; within ten seconds."""
        async with asyncio.timeout(WAIT):
            while True:
                frame = await self.frame()
                if holds(frame):
                    return frame

    async def value(self, topic: str, value: Any) -> dict[str, Any]:
        return await self.until(lambda frame: frame.get("values", {}).get(topic) == value)

    async def op(self, op: str) -> dict[str, Any]:
        return await self.until(lambda frame: frame["op"] == op)


@asynccontextmanager
async def socket(query: str = "v=1&lang=en", headers: Any = ()) -> AsyncIterator[Socket]:
    found = Socket(query, headers)
    await found.asgi.send_input({"type": "websocket.connect"})
    assert await found.message() == {"type": "websocket.accept"}
    try:
        yield found
    finally:
        await found.asgi.send_input({"type": "websocket.disconnect", "code": 1000})
        await found.asgi.wait()


@asynccontextmanager
async def running() -> AsyncIterator[relay.Relay]:
    """The relay of this test, stopped at its end."""
    found = relay.current()
    try:
        yield found
    finally:
        await found.stop()
