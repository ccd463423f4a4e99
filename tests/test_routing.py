"""Where connections arrive: sockets, the server's lifespan, and all that is Django's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livecounters.routing import application
from tests.sockets import communicator, no_django

pytestmark = pytest.mark.django_db(transaction=True)


async def test_another_path_is_closed() -> None:
    elsewhere = communicator("/ws/x/")
    await elsewhere.send_input({"type": "websocket.connect"})

    assert await elsewhere.receive_output(5) == {"type": "websocket.close", "code": 4404}


async def test_a_server_with_lifespan_starts_and_stops_it() -> None:
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    server = asyncio.create_task(
        application(no_django)({"type": "lifespan"}, incoming.get, outgoing.put)
    )

    await incoming.put({"type": "lifespan.startup"})
    assert await outgoing.get() == {"type": "lifespan.startup.complete"}
    await incoming.put({"type": "lifespan.shutdown"})
    assert await outgoing.get() == {"type": "lifespan.shutdown.complete"}
    await server


async def test_everything_else_is_djangos() -> None:
    seen = []

    async def django(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await application(django)({"type": "http"}, None, None)  # type: ignore[arg-type]

    assert seen == ["http"]
