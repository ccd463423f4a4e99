"""The pump: folds what was captured, numbers events and says what changed.

One pump is active at a time, by a lease. It runs inside the ASGI process or as
``manage.py livecounters run``. It looks often while anybody watches and seldom otherwise.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress

from django.db import close_old_connections, connections
from django.utils import timezone

from livecounters import feed, folding, leases
from livecounters.announce import Announcement
from livecounters.dialects import dialect_of
from livecounters.feed import Place
from livecounters.measures import declared_measures

__all__ = ["IDLE", "VIEWERS", "WATCHED", "Pump", "drive"]

logger = logging.getLogger("livecounters")

WATCHED = 0.1
"""Seconds between two looks while somebody watches."""
IDLE = 3.0
"""Seconds between two looks while nobody does."""
LEASE = 15.0
"""Seconds after which another process takes over from a pump that is gone."""
FOLD_EVERY = 5.0
"""Seconds between two folds on a database with one writer."""
FOLD_AT = 500
"""Pending deltas that are folded there without waiting."""

VIEWERS = "viewers:"
NAME = "pump"


class Pump:
    """The work of one look; synchronous, and without a clock of its own."""

    def __init__(self) -> None:
        self.holder = secrets.token_hex(8)
        self._place: Place | None = None
        self._seen: dict[str, int] = {}
        self._folded: dict[str, float] = {}
        self._renew = float("-inf")
        self._active = False
        self._watched = False

    def tick(self, now: dt.datetime) -> tuple[Announcement | None, bool]:
        """Look once. Answers what is to be announced, and whether anybody watches."""
        seconds = now.timestamp()
        if seconds >= self._renew:
            self._renew = seconds + LEASE / 3
            using = feed.database()
            self._active = leases.hold(NAME, self.holder, now, LEASE, using)
            self._watched = False
        if not self._watched:
            self._watched = leases.held(VIEWERS, now, feed.database())
        if not self._active:
            return None, self._watched
        place = feed.number()
        numbers = self._numbers(seconds)
        if not numbers and place == self._place:
            return None, self._watched
        self._place = place
        return Announcement(place.epoch, place.seq, numbers), self._watched

    def close(self) -> None:
        """Give the lease back."""
        leases.release(NAME, self.holder, feed.database())

    def _numbers(self, seconds: float) -> dict[str, set[str]]:
        changed: dict[str, set[str]] = defaultdict(set)
        for using in dict.fromkeys(measure.using for measure in declared_measures()):
            found = (
                self._peek(using, seconds)
                if dialect_of(using).single_writer
                else folding.fold(using)
            )
            for measure, scopes in found.items():
                changed[measure] |= scopes
        return changed

    def _peek(self, using: str, seconds: float) -> folding.Changed:
        """Say what is new at once, fold it later: each write could make the host wait."""
        changed, newest, pending = folding.since(using, self._seen.get(using, 0))
        self._seen[using] = newest
        due = seconds >= self._folded.get(using, 0) + FOLD_EVERY or pending >= FOLD_AT
        if pending and due:
            self._folded[using] = seconds
            folding.fold(using)
        return changed


Announce = Callable[[Announcement], Awaitable[None]]


async def drive(
    pump: Pump,
    announce: Announce,
    threads: Executor,
    watched: Callable[[], bool],
    wake: asyncio.Event,
) -> None:
    """Let a pump look again and again until cancelled; an error costs one look.

    ``watched`` says whether anybody watches in this very process; ``wake`` ends its rest.
    """
    loop = asyncio.get_running_loop()
    try:
        while True:
            wake.clear()
            somebody = watched()
            try:
                announcement, elsewhere = await loop.run_in_executor(threads, _look, pump)
                somebody = somebody or elsewhere
                if announcement is not None:
                    await announce(announcement)
            except Exception:
                logger.exception("livecounters: the pump failed and goes on.")
                await asyncio.sleep(IDLE)
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCHED if somebody else IDLE):
                    await wake.wait()
    finally:
        await asyncio.shield(loop.run_in_executor(threads, _close, pump))


def _look(pump: Pump) -> tuple[Announcement | None, bool]:
    close_old_connections()
    try:
        return pump.tick(timezone.now())
    except Exception:
        connections.close_all()
        raise


def _close(pump: Pump) -> None:
    try:
        pump.close()
    finally:
        connections.close_all()
