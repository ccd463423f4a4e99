"""Frames as often as asked, between two signals SIGUSR2; as livecounters says a counter."""

from __future__ import annotations

import asyncio
import datetime as dt
import signal
from collections.abc import AsyncIterator
from itertools import count
from typing import Any


async def ticking(rate: float) -> AsyncIterator[dict[str, Any]]:
    loop, wanted = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(
        signal.SIGUSR2, lambda: wanted.clear() if wanted.is_set() else wanted.set()
    )
    due = loop.time()
    for number in count(1):
        await wanted.wait()
        due = max(due + 1 / rate, loop.time())
        await asyncio.sleep(due - loop.time())
        yield {
            "op": "values",
            "values": {"counter:hits": number},
            "at": dt.datetime.now(dt.UTC).isoformat(),
            "epoch": "0123456789abcdef",
            "seq": number,
        }
