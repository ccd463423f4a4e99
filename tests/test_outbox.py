"""The outbox: bounded, in order, in nobody's way."""

from __future__ import annotations

import asyncio
from typing import Any

from livecounters.frames import Close
from livecounters.outbox import MAX_PENDING, Outbox


async def test_a_slow_client_is_closed_and_costs_no_memory() -> None:
    sent: list[dict[str, Any]] = []
    reading = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        await reading.wait()
        sent.append(message)

    outbox = Outbox(send, "en")
    for number in range(10 * MAX_PENDING):
        outbox.write(str(number))
    await asyncio.sleep(0)
    reading.set()
    async with asyncio.timeout(5):
        while not sent or sent[-1]["type"] != "websocket.close":
            await asyncio.sleep(0)

    assert sent[-1]["code"] == Close.SLOW
    assert len(sent) <= MAX_PENDING


async def test_a_client_that_is_gone_is_no_error() -> None:
    async def send(message: dict[str, Any]) -> None:
        raise RuntimeError("Unexpected ASGI message")

    outbox = Outbox(send, "en")
    outbox.write("one")
    await asyncio.sleep(0)
    outbox.write("two")
    await asyncio.sleep(0)
    outbox.abandon()
