"""The outbox: bounded, in order, in nobody's way."""

from __future__ import annotations

import asyncio
from typing import Any

from livecounters.frames import Close
from livecounters.outbox import MAX_PENDING, Outbox
from livecounters.relay import _aside


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


class Line:
    """A server's side: takes frames, and can make them wait in the middle of being sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.waits: asyncio.Future[None] | None = None
        self.left = 0

    async def send(self, message: dict[str, Any]) -> None:
        try:
            if self.waits is not None:
                await self.waits
            self.sent.append(message.get("text") or str(message["code"]))
        finally:
            self.left += 1


async def test_who_reads_has_it_at_once() -> None:
    line = Line()
    outbox = Outbox(line.send, "en")

    outbox.write("one")

    assert line.sent == ["one"]


async def test_what_waits_comes_in_order_and_only_the_newest() -> None:
    line = Line()
    outbox = Outbox(line.send, "en")
    outbox.write("one", "n")
    line.waits = asyncio.get_running_loop().create_future()
    for number in (2, 3, 4):
        outbox.write(str(number), "n")
        outbox.write(f"event {number}")
    outbox.close(Close.SILENT)
    assert line.sent == ["one"]

    line.waits.set_result(None)
    async with asyncio.timeout(5):
        while len(line.sent) < 7:
            await asyncio.sleep(0)

    # The first was on its way.
    assert line.sent == ["one", "2", "event 2", "event 3", "4", "event 4", str(int(Close.SILENT))]


async def test_a_client_that_goes_while_a_frame_waits() -> None:
    line = Line()
    outbox = Outbox(line.send, "en")
    line.waits = asyncio.get_running_loop().create_future()
    outbox.write("one")
    await asyncio.sleep(0)
    line.waits.set_exception(ConnectionResetError())
    await asyncio.sleep(0.01)
    line.waits = None
    outbox.write("two")

    assert line.sent == []
    assert line.left == 1


async def test_what_waits_is_given_up_with_the_client() -> None:
    line = Line()
    outbox = Outbox(line.send, "en")
    line.waits = asyncio.get_running_loop().create_future()
    outbox.write("one")
    await asyncio.sleep(0)
    outbox.abandon()
    await asyncio.sleep(0.01)

    assert line.left == 1
    assert line.waits.cancelled()


async def test_who_gives_up_waiting_harms_nobody_else() -> None:
    """A middleware with a time limit ends its own task, not the one that wrote."""
    line = Line()
    line.waits = asyncio.get_running_loop().create_future()

    async def limited(message: dict[str, Any]) -> None:
        async with asyncio.timeout(0.01):
            await line.send(message)

    outbox = Outbox(limited, "en")
    await _aside(lambda: outbox.write("one"))
    await asyncio.sleep(0.05)
    line.waits.set_result(None)
    await asyncio.sleep(0.01)

    assert line.sent == ["one"]
