"""``livecounters run``"""

from __future__ import annotations

import asyncio
import logging
import signal
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from channels.layers import get_channel_layer

from livecounters.announce import GROUP, Announcement
from livecounters.management.verbs.base import Verb
from livecounters.management.verbs.fold import Fold
from livecounters.pump import Pump, drive

__all__ = ["Run"]

logger = logging.getLogger("livecounters")


class Run(Verb):
    name = "run"
    help = "Run the pump until it is stopped."
    english = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Look once and end.")

    def run(self, *, once: bool, **given: Any) -> None:
        if once:
            Fold(self.command).run()
        else:
            asyncio.run(_run())


async def _run() -> None:
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "livecounters-pump") as threads:
        work = asyncio.create_task(
            drive(Pump(), _Announcer(), threads, lambda: False, asyncio.Event())
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, work.cancel)
        with suppress(asyncio.CancelledError):
            await work


class _Announcer:
    """Announces over the channel layer; says once that it cannot, and when it can again."""

    def __init__(self) -> None:
        self._failing = False

    async def __call__(self, announcement: Announcement) -> None:
        layer = get_channel_layer()
        if layer is None:
            return
        try:
            await layer.group_send(GROUP, announcement.message())
        except Exception as error:
            if not self._failing:
                logger.warning("livecounters: the channel layer takes nothing: %r", error)
            self._failing = True
        else:
            self._failing = False
