"""The keeper: tells the presence store who is at the sockets of this process, and stays believed.

However many come and go it writes once a second, and once a heartbeat while nobody does. While
nobody is here it does nothing at all. What fails is told again, whole if need be.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from django.utils import timezone

from livecounters import leases, sightings
from livecounters.conf import options
from livecounters.feed import database
from livecounters.gauges import SITE, Active
from livecounters.presence import Changes, Who, store
from livecounters.presence.attendance import Attendance
from livecounters.registry import registry
from livecounters.worker import close_all, work

__all__ = ["Keeper"]

logger = logging.getLogger("livecounters")

AGAIN = 1.0
"""The least seconds between two writes."""
GRACE = 3.0
"""Seconds that somebody who has closed the last page may take to open another."""
LOST_GRACE = 10.0
"""The same where the connection broke: that is seldom meant."""
TIDY = 86_400.0
"""Seconds for which guests are remembered at the least, and between two looks for those who are not
any more."""
RECONCILE = 15.0
"""Seconds between two looks, by one process of all, for people whose process is gone."""

LEAVE = 3.0
"""Seconds that a process which ends waits for what is being told."""

LEASE = "presence"

T = TypeVar("T")


class Keeper:
    """Of one process. ``announce`` is told the rooms that have changed."""

    def __init__(self, process: str, announce: Callable[[set[str]], Awaitable[None]]) -> None:
        self.process = process
        self._announce = announce
        self._book = Attendance()
        self._wake = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, "livecounters-presence")
        ttl = float(options().presence("TTL"))
        # A process that was killed just after a heartbeat is forgotten, and that is read, in time.
        self.lease, self.every = 0.6 * ttl, 0.2 * ttl
        self._whole = True
        self._written = float("-inf")
        self._seen = float("-inf")
        self._reconciled = 0.0
        self._lookout = _Lookout(process)

    # What happens at the sockets

    def enter(self, seat: Hashable, room: str) -> None:
        """A socket comes into a room."""
        self._book.enter(seat, room, time.time())
        self._wake.set()

    def identify(self, seat: Hashable, who: Who, agent: str = "") -> None:
        """It turns out who is at a socket, with which kind of browser."""
        self._book.identify(seat, who, time.time(), agent)
        self._wake.set()

    def describe(self, seat: Hashable, tabs: int | None, away: bool | None) -> None:
        """How many pages share a socket, and whether nobody looks at them; None: as before."""
        self._book.describe(seat, tabs, away)
        self._wake.set()

    def leave(self, seat: Hashable, room: str) -> None:
        """A socket leaves a room."""
        self._book.leave(seat, room, time.time(), GRACE)
        self._wake.set()

    def drop(self, seat: Hashable, lost: bool) -> None:
        """A socket is closed, or ``lost`` without a word."""
        self._book.drop(seat, time.time(), LOST_GRACE if lost else GRACE)
        self._wake.set()

    # Telling it

    async def work(self) -> None:
        """Tell it, again and again, until cancelled."""
        while True:
            await self._rest()
            self._wake.clear()
            now = time.time()
            if not self._due(now):
                continue
            try:
                rooms = await self._tell(now)
            except Exception as error:
                self._whole = True
                logger.warning("livecounters: presence could not be told: %r", error)
                rooms = set()
            self._written = now
            if rooms:
                await self._announce(rooms)

    async def close(self) -> None:
        """End. What was told ends with the lease: who comes back to another process, or to this
        one when it has started anew, was never away."""
        closing = asyncio.get_running_loop().run_in_executor(self._threads, close_all)
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE):
                await asyncio.shield(closing)
        self._threads.shutdown(wait=False)

    async def _rest(self) -> None:
        now = time.time()
        if self._book.due(now):
            # Not awake until the last write is a while ago; more may come meanwhile.
            await asyncio.sleep(max(0.0, self._written + AGAIN - now))
            return
        times = [self._written + self.every] if len(self._book) else []
        gone = self._book.next_due()
        times += [gone] if gone is not None else []
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(times) - now) if times else None):
                await self._wake.wait()

    def _due(self, now: float) -> bool:
        if self._book.due(now):
            return now >= self._written + AGAIN
        return len(self._book) > 0 and now >= self._written + self.every

    async def _tell(self, now: float) -> set[str]:
        changes = self._book.changes(now, self._whole)
        if not await self._in_thread(lambda: self._beat(changes, now)):
            # It was held for dead, or the store is a new one.
            changes = self._book.changes(now, whole=True)
            await self._in_thread(lambda: self._beat(changes, now))
        self._whole = False
        self._book.told(changes)
        everybody = self._book.present(SITE) if now >= self._seen + sightings.EVERY else []
        self._seen = now if everybody else self._seen
        await self._in_thread(lambda: self._sight(changes, everybody, now))
        return changes.rooms

    def _beat(self, changes: Changes, now: float) -> bool:
        return store().beat(self.process, changes, now, self.lease)

    def _sight(self, changes: Changes, everybody: Iterable[Who], now: float) -> None:
        """Keep when they were seen, and say who has come and who has gone."""
        came = [one.who for one in changes.came if one.room == SITE]
        if came or everybody:
            sightings.arrived({*came, *everybody}, now)
        left = [who for room, who in changes.left if room == SITE]
        if left:
            sightings.seen(left, now)
            sightings.went(_absent((who.key for who in left if who.is_person), now), now)
        if now >= self._reconciled + RECONCILE:
            self._reconciled = now
            self._lookout.look(now)

    async def _in_thread(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, job)


class _Lookout:
    """Finds people who are held to be online though nobody has them any more: their process was
    killed. One process of all looks."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._known: set[str] | None = None
        self._tidied = 0.0

    def look(self, now: float) -> None:
        if not leases.hold(LEASE, self._process, timezone.now(), 2 * RECONCILE, database()):
            self._known = None
            return
        if now >= self._tidied + TIDY:
            self._tidied = now
            gauges = (gauge.declared for gauge in registry.gauges)
            windows = [one.window.seconds for one in gauges if isinstance(one, Active)]
            sightings.lost(now - max([TIDY, *windows]))
        alive = store().processes(now)
        # After a restart they get the time to come back.
        killed = self._known is not None and bool(self._known - alive)
        self._known = alive
        long_ago = now - 2 * sightings.EVERY
        online = sightings.online()
        missing = [key for key, seen in online.items() if killed or seen < long_ago]
        if missing:
            sightings.went(_absent(missing, now), now)


def _absent(people: Iterable[str], now: float) -> set[str]:
    asked = set(people)
    return asked - store().people(SITE, now, asked)
