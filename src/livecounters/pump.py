"""The pump: folds what was captured, numbers events and says what changed.

One pump is active at a time, by a lease. It runs inside the ASGI process or as
``manage.py livecounters run``. It looks often while anybody watches and seldom otherwise. Each
time it renews its lease it looks whether there is something to heal, and sometimes whether to
prune, which a thread then does. Each time it looks it lets the sampler ask what is due.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import secrets
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress

from django.utils import timezone

from livecounters import feed, folding, installation, leases, retention
from livecounters.announce import Announcement
from livecounters.dialects import dialect_of
from livecounters.feed import Place
from livecounters.judges import PROGRESS, Judge
from livecounters.lookout import VIEWERS, Sight, look
from livecounters.measures import counted_databases
from livecounters.meters import GAUGE
from livecounters.reporter import reporter
from livecounters.sampler import Sampler
from livecounters.settling import settle
from livecounters.telemetry import LAG, tally
from livecounters.worker import close_all, work

__all__ = ["IDLE", "WATCHED", "Pump", "drive"]

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

HEAL_EVERY = 15.0
"""Seconds between two looks whether there is something to heal."""
PRUNE_EVERY = 86_400.0
"""Seconds between two prunes."""
PRUNE_LOOK = 600.0
"""Seconds between two looks whether it is time to prune."""
LEAVE = 5.0
"""Seconds that a pump which ends waits for what it is at."""


class Pump:
    """The work of one look; synchronous, and without a clock of its own."""

    def __init__(self) -> None:
        self.holder = secrets.token_hex(8)
        self._place: Place | None = None
        self._seen: dict[str, int] = {}
        self._folded: dict[str, float] = {}
        self._renew = float("-inf")
        self._heal = float("-inf")
        self._active = False
        self._looked: dt.datetime | None = None
        # When the last look began that came to its end, and whether the last one did.
        self._told: float | None = None
        self._finished = True
        self._nurse = _Nurse()
        self._sampler = Sampler()
        self._judge = Judge()

    def tick(self, now: dt.datetime) -> tuple[Announcement | None, bool]:
        """Look once. Answers what is to be announced, and whether anybody watches."""
        self._looked = now
        seconds = now.timestamp()
        if seconds >= self._renew:
            self._renew = seconds + LEASE / 3
            self._hold(now)
        if not self._active:
            return None, leases.held(VIEWERS, now, feed.database())
        self._finished = False
        announcement, watched = self._look(now)
        self._finished, self._told = True, seconds
        tally.add("looks")
        return announcement, watched

    def _look(self, now: dt.datetime) -> tuple[Announcement | None, bool]:
        seconds = now.timestamp()
        gauges = self._sampler.visit(now)
        seen = look(counted_databases(), now)
        place = seen.place or feed.number()
        self._lag(seconds, seen)
        numbers = self._numbers(seconds, seen.pending)
        self._judge.hear(numbers)
        if seen.summoned:
            self._judge.answer()
        judged = self._judge.judged()
        if gauges:
            numbers[GAUGE] = gauges
        if judged:
            numbers[PROGRESS] = judged
        if not numbers and place == self._place:
            return None, seen.watched
        self._place = place
        return Announcement(place.epoch, place.seq, numbers), seen.watched

    def _hold(self, now: dt.datetime) -> None:
        using, before = feed.database(), self._active
        self._active = leases.hold(leases.PUMP, self.holder, now, LEASE, using)
        if not self._active:
            return
        if not self._finished:
            leases.hold(leases.FAILING, self.holder, now, LEASE, using)
        reporter.visit(now.timestamp())
        if not before:
            feed.ensure_stream(using)
            self._judge.begin(now)
        if now.timestamp() >= self._heal:
            self._heal = now.timestamp() + HEAL_EVERY
            self._nurse.visit(counted_databases(), now)

    def _lag(self, seconds: float, seen: Sight) -> None:
        """What is there now came after the last look that came to its end began."""
        if self._told is not None and (seen.pending or seen.place is None):
            tally.peak(LAG, seconds - self._told)

    def leave(self) -> None:
        """Heal no further than the next portion of numbers, judge nobody more."""
        self._nurse.leaving.set()
        self._judge.leaving.set()

    def rest(self, seconds: float | None = None) -> None:
        """Wait for what is being healed, and for gauges that are being asked."""
        self._nurse.wait(seconds)
        self._sampler.wait(seconds)
        self._judge.wait(seconds)

    def close(self) -> None:
        """Give the lease back; what is being healed is left to the next."""
        self.leave()
        self._nurse.wait(LEAVE)
        self._judge.wait(LEAVE)
        if self._looked is not None:
            leases.lapse(leases.PUMP, self.holder, self._looked, feed.database())

    def _numbers(self, seconds: float, pending: Sequence[str]) -> dict[str, set[str]]:
        changed: dict[str, set[str]] = defaultdict(set)
        for using in pending:
            found = (
                self._peek(using, seconds)
                if dialect_of(using).single_writer
                else folding.fold(using)
            )
            for some in (found, settle(using)):
                for measure, scopes in some.items():
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


def _turn_to_prune(using: str, now: dt.datetime) -> bool:
    """Whether nobody has pruned for a day; whoever asks first is to."""
    return leases.hold("prune", secrets.token_hex(8), now, PRUNE_EVERY, using)


class _Left(Exception):
    """The pump ends."""


class _Nurse:
    """Heals and prunes beside the pump, whose announcements must not wait for that."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self.leaving = threading.Event()
        self._said: set[str] = set()
        self._prune: float | None = None

    def visit(self, databases: Sequence[str], now: dt.datetime) -> None:
        """Heal what is ailing and prune what is old, unless that is under way."""
        if self._thread is not None and self._thread.is_alive():
            return
        ailing = [using for using in databases if installation.ailing(using)]
        old = retention.databases() if self._due(now) else []
        old = [using for using in old if _turn_to_prune(using, now)]
        if ailing or old:
            # A daemon: whatever it is at may be killed at any point.
            self._thread = threading.Thread(
                target=self._see_to, args=(ailing, old, now), name="livecounters-nurse", daemon=True
            )
            self._thread.start()

    def _due(self, now: dt.datetime) -> bool:
        """Whether to look for what is old: not at once, when there is most to do."""
        due = self._prune is not None and now.timestamp() >= self._prune
        if due or self._prune is None:
            self._prune = now.timestamp() + PRUNE_LOOK
        return due

    def wait(self, seconds: float | None) -> None:
        """Until all that is under way is healed."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _see_to(self, ailing: Sequence[str], old: Sequence[str], now: dt.datetime) -> None:
        try:
            for using in ailing:
                self._say(installation.heal(using, progress=self._go_on))
            for using in old:
                for what, number in retention.portions(using, now):
                    self._go_on(what, number, number)
        except _Left:
            pass
        except Exception:
            logger.exception("livecounters: healing or pruning failed; it is tried again.")
        finally:
            close_all()

    def _go_on(self, names: str, done: int, number: int) -> None:
        if self.leaving.is_set():
            raise _Left

    def _say(self, report: installation.Report) -> None:
        for names in report.backfilled:
            logger.info("livecounters: %s is kept again.", names)
        failures = {*report.failed, *report.unfinished}
        for failure in sorted(failures - self._said):
            logger.error("livecounters: counted from the table: %s", failure)
        self._said = failures


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
    failing: type[Exception] | None = None
    try:
        while True:
            wake.clear()
            somebody = watched()
            try:
                announcement, elsewhere = await loop.run_in_executor(threads, _look, pump)
                somebody = somebody or elsewhere
                if announcement is not None:
                    await announce(announcement)
                    tally.add("announcements_sent")
                if failing is not None:
                    failing = None
                    logger.warning("livecounters: the pump works again.")
            except Exception as error:
                # Said once, however long the database is away.
                if failing is not type(error):
                    failing = type(error)
                    logger.exception("livecounters: the pump failed and goes on.")
                await asyncio.sleep(IDLE)
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCHED if somebody else IDLE):
                    await wake.wait()
    finally:
        await asyncio.shield(loop.run_in_executor(threads, _close, pump))


def _look(pump: Pump) -> tuple[Announcement | None, bool]:
    return work(lambda: pump.tick(timezone.now()))


def _close(pump: Pump) -> None:
    try:
        pump.close()
    finally:
        close_all()
