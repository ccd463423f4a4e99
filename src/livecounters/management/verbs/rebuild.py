"""``livecounters rebuild``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from livecounters import interventions
from livecounters.exceptions import Busy
from livecounters.interventions import Refused
from livecounters.management.verbs.base import Bar, Verb, add_database, chosen, scope_of
from livecounters.reporter import reporter

__all__ = ["Rebuild"]


class Rebuild(Verb):
    name = "rebuild"
    help = "Make what is kept equal to what there is, beside readers and writers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="name", help="Counters (default: all).")
        parser.add_argument("--of", help="Only the number of this object (its key).")
        add_database(parser)

    def run(
        self,
        *,
        names: list[str],
        of: str | None,
        database: str | None,
        verbosity: int = 1,
        **given: Any,
    ) -> None:
        corrected, ready, failed = 0, 0, []
        scopes = scope_of(names, of)
        for standing in chosen(names, database):
            bar = Bar(self.out, " ".join(standing.names), verbosity > 0 and self.out.isatty())
            try:
                number, brought = interventions.repair(standing, scopes, bar)
            except (Busy, Refused) as error:
                failed.append(str(error))
                continue
            corrected, ready = corrected + number, ready + brought
            if verbosity and (number or brought):
                how = "is counted anew and in force" if brought else f"{number} buckets corrected"
                self.out.write(f"{' '.join(standing.names)}: {how}")
        if verbosity:
            more = f", {ready} measures counted anew" if ready else ""
            self.out.write(f"{corrected} buckets corrected{more}")
        reporter.flush(timezone.now().timestamp())
        if failed:
            raise CommandError("\n".join(failed))
