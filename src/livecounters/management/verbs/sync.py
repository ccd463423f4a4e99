"""``livecounters sync``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from livecounters import awards, capture, feed, installation
from livecounters.exceptions import Busy
from livecounters.management.verbs.base import Bar, Verb, add_database, databases

__all__ = ["Sync"]


class Sync(Verb):
    name = "sync"
    help = "Install triggers, backfill, drop orphans."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_database(parser)
        parser.add_argument(
            "--remove",
            action="store_true",
            help="Take every trigger away instead; numbers are counted from their source then.",
        )

        parser.add_argument(
            "--award",
            action="store_true",
            help="Award everybody now, without a word, what they had reached before there was a "
            "rule for it; else that waits for their next deed.",
        )

    def run(
        self,
        *,
        database: str | None,
        remove: bool,
        award: bool = False,
        verbosity: int = 1,
        **given: Any,
    ) -> None:
        for using in databases(database, remove=remove):
            if remove:
                self._remove(using)
                continue
            self._sync(using, verbosity > 0 and self.out.isatty())
            if using == feed.database():
                awards.begin()
                if award:
                    self.out.write(f"{using}: awarded {awards.award_past()} achievements")

    def _remove(self, using: str) -> None:
        try:
            for table in capture.detach(using):
                self.out.write(f"{using}: removed the triggers on {table}")
        except Busy as error:
            raise CommandError(str(error)) from error

    def _sync(self, using: str, bars: bool) -> None:
        report = installation.sync(
            using, progress=lambda names, done, number: Bar(self.out, names, bars)(done, number)
        )
        for word, names in vars(report).items():
            for name in names:
                self.out.write(f"{using}: {word} {name}")
        if report.failed:
            raise CommandError("No triggers could be installed on " + "; ".join(report.failed))
        if report.unfinished:
            raise CommandError("Not backfilled yet: " + "; ".join(report.unfinished))
        if not any(vars(report).values()):
            self.out.write(f"{using}: everything is in place")
