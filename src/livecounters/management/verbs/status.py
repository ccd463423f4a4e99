"""``livecounters status``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from livecounters.management.verbs.base import Verb, add_database, add_json, databases
from livecounters.readers import aware
from livecounters.status import Status, status_of

__all__ = ["ShowStatus"]

NOTHING = "  nothing is declared: write <app>/livecounters.py, in an app that is in INSTALLED_APPS"


class ShowStatus(Verb):
    name = "status"
    help = "Triggers, measures, pending deltas, pump, last audit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_json(parser)
        add_database(parser)
        parser.add_argument(
            "--fail", action="store_true", help="Exit with 1 if anything is not as it should be."
        )

    def run(self, *, database: str | None, as_json: bool, fail: bool, **given: Any) -> None:
        found = [status_of(using, timezone.now()) for using in databases(database)]
        if as_json:
            self.write_json([one.as_json() for one in found])
        else:
            for one in found:
                self._tell(one)
        problems = [problem for one in found for problem in one.problems]
        if fail and problems:
            raise CommandError("\n".join(problems))

    def _tell(self, found: Status) -> None:
        self.out.write(f"Database {found.database}")
        if not found.tables:
            self.out.write(self.style.WARNING(NOTHING))
        for table, state in found.tables.items():
            style = self.style.SUCCESS if state == "installed" else self.style.WARNING
            self.out.write(f"  {style(state):<12} {table}")
        for one in found.measures:
            if one.trouble:
                self.out.write(self.style.WARNING(f"  {'not ready':<12} {' '.join(one.names)}"))
                self.out.write(f"               {one.trouble}")
        pump = found.pump
        self.out.write(
            f"  pump: {pump.holder} until {timezone.localtime(aware(pump.expires_at)):%H:%M:%S}"
            if pump
            else "  pump: none is at work"
        )
        if found.repairing:
            self.out.write(f"  repairing: {' '.join(found.repairing)}")
        if found.waiting.marks:
            who = ", ".join(f"{one.who} ({one.seconds} s)" for one in found.waiting.holders)
            self.out.write(f"  {found.waiting.marks} changes to settle{who and f', after {who}'}")
        audited = found.audited_at
        self.out.write(
            f"  audited: all since {timezone.localtime(aware(audited)):%Y-%m-%d %H:%M}, "
            f"{found.drift} buckets were wrong"
            if audited
            else f"  audited: not everything yet, {found.drift} buckets were wrong"
        )
        if found.oldest is not None:
            self.out.write(f"  oldest pending change: of {found.oldest:%Y-%m-%d %H:%M}, by its row")
        self.out.write(f"  {found.pending} deltas pending, newest event {found.place.seq}")
