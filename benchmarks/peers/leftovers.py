"""Processes that heard announcements and were killed: what they leave behind in Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import django

django.setup()

from livecounters.outbox import Outbox  # noqa: E402 - apps must be ready
from livecounters.relay import Relay  # noqa: E402


async def _listen(told: int) -> None:
    async def nowhere(message: object) -> None: ...

    relay = Relay()
    relay.join(Outbox(nowhere, "en"))
    await asyncio.sleep(2)
    os.write(told, b".")
    await asyncio.sleep(600)


def main(number: int) -> None:
    here, there = os.pipe()
    children = []
    for _ in range(number):
        child = os.fork()
        if not child:
            asyncio.run(_listen(there))
        children.append(child)
    heard = 0
    while heard < number:
        heard += len(os.read(here, number))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
