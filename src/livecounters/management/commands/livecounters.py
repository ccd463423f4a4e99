"""``manage.py livecounters status | sync | fold | run``"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from channels.layers import get_channel_layer
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from livecounters import capture, feed, folding, installation
from livecounters.announce import GROUP, Announcement
from livecounters.exceptions import Unmeasurable
from livecounters.pump import Pump, drive
from livecounters.watches import watches

logger = logging.getLogger("livecounters")


class Command(BaseCommand):
    help = "See to the live counters: their triggers, their numbers, their pump."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
        status = verbs.add_parser("status", help="Triggers, pending deltas, place of the stream.")
        status.add_argument("--json", action="store_true", dest="as_json", help="As JSON.")
        sync = verbs.add_parser("sync", help="Install triggers, backfill, drop orphans.")
        sync.add_argument(
            "--remove",
            action="store_true",
            help="Take every trigger away instead; numbers are counted from their source then.",
        )
        fold = verbs.add_parser("fold", help="Fold what is pending, number new events, once.")
        run = verbs.add_parser("run", help="Run the pump until it is stopped.")
        for verb in (status, sync, fold):
            verb.add_argument("--database", help="Only this one (default: all that are watched).")
        run.add_argument("--once", action="store_true", help="Look once and end.")

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            getattr(self, given["verb"])(**given)
        except Unmeasurable as error:
            raise CommandError(f"{error}\n{error.hint}") from error

    def status(self, *, database: str | None, as_json: bool, **given: Any) -> None:
        report = [_status(using) for using in _databases(database)]
        if as_json:
            self.stdout.write(json.dumps(report, indent=2))
            return
        for one in report:
            self.stdout.write(f"Database {one['database']}")
            for table, state in one["tables"].items():
                style = self.style.SUCCESS if state == "installed" else self.style.WARNING
                self.stdout.write(f"  {style(state):<12} {table}")
            self.stdout.write(f"  {one['pending']} deltas pending, newest event {one['seq']}")

    def sync(self, *, database: str | None, remove: bool, **given: Any) -> None:
        for using in _databases(database, remove=remove):
            if remove:
                for table in capture.detach(using):
                    self.stdout.write(f"{using}: removed the triggers on {table}")
                continue
            report = installation.sync(using)
            if report.failed:
                raise CommandError("No triggers could be installed on " + "; ".join(report.failed))
            for word, names in vars(report).items():
                for name in names:
                    self.stdout.write(f"{using}: {word} {name}")
            if not any(vars(report).values()):
                self.stdout.write(f"{using}: everything is in place")

    def fold(self, *, database: str | None, **given: Any) -> None:
        for using in _databases(database):
            pending = folding.pending(using)
            folding.fold(using)
            self.stdout.write(f"{using}: {pending - folding.pending(using)} deltas folded")
        self.stdout.write(f"newest event {feed.number().seq}")

    def run(self, *, once: bool, **given: Any) -> None:
        if once:
            self.fold(database=None)
            return
        asyncio.run(_run())


def _databases(chosen: str | None, remove: bool = False) -> list[str]:
    if chosen is not None and chosen not in connections:
        raise CommandError(f"There is no database {chosen!r}; known: {', '.join(connections)}.")
    found = [chosen] if chosen is not None else [u for u in connections if watches(u)]
    for using in found:
        if not remove and not capture.ready(using):
            raise CommandError(f"The tables are not there yet: manage.py migrate ({using}).")
    return found


def _status(using: str) -> dict[str, Any]:
    return {
        "database": using,
        "tables": {state.table: state.state for state in capture.states(using)},
        "pending": folding.pending(using),
        "seq": feed.head(using).seq,
        "epoch": feed.head(using).epoch,
    }


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
