"""The least that telling many can be on an ASGI server: a loop that sends each socket the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.peers.ticking import ticking

Send = Callable[[dict[str, Any]], Awaitable[None]]

sockets: set[Send] = set()


async def application(scope: Any, receive: Any, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    sockets.add(send)
    while (await receive())["type"] != "websocket.disconnect":
        pass
    sockets.discard(send)


async def _live(receive: Any, send: Send) -> None:
    await receive()
    telling = asyncio.create_task(_tell())
    await send({"type": "lifespan.startup.complete"})
    await receive()
    telling.cancel()
    await send({"type": "lifespan.shutdown.complete"})


async def _tell() -> None:
    from benchmarks.fanout import RATE

    async for frame in ticking(RATE):
        message = {"type": "websocket.send", "text": json.dumps(frame)}
        for tell in list(sockets):
            await tell(message)
