"""``livecounters verify``"""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError

from livecounters import audit, interventions
from livecounters.audit import Audit
from livecounters.management.verbs.base import (
    Verb,
    add_database,
    add_json,
    chosen,
    scope_of,
)
from livecounters.standing import Standing

__all__ = ["Verify"]

# Wrong buckets of one measure that are shown.
SHOWN = 10


@dataclass(frozen=True)
class Verdict:
    """What was found of one measure; no audit where it is counted from its source anyway."""

    standing: Standing
    scopes: list[str] | None
    audit: Audit | None

    @property
    def wrong(self) -> int:
        return self.audit.wrong if self.audit is not None else 0

    @property
    def scores(self) -> int:
        return self.audit.scores if self.audit is not None else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "counters": self.standing.names,
            "measure": self.standing.measure.key,
            "database": self.standing.measure.using,
            "table": self.standing.table,
            "audited": self.audit is not None,
            "trouble": self.standing.trouble,
            "scopes": self.scopes,
            "wrong": self.wrong,
            "scores": self.scores,
            "unsettled": self.audit.unsettled if self.audit else 0,
            "some": [drift.as_json() for drift in self.audit.some] if self.audit else [],
        }


class Verify(Verb):
    name = "verify"
    help = "Compare what is kept with what there is; exit with 1 if anything differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="name", help="Counters (default: all).")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--of", help="Only the number of this object (its key).")
        which.add_argument(
            "--sample", type=int, metavar="N", help="Only N objects of each measure, at random."
        )
        parser.add_argument("--seed", help="Draw the same sample for the same seed.")
        add_database(parser)
        add_json(parser)

    def run(
        self,
        *,
        names: list[str],
        of: str | None,
        sample: int | None,
        seed: str | None,
        database: str | None,
        as_json: bool,
        **given: Any,
    ) -> None:
        if sample is not None and sample < 1:
            raise CommandError(f"--sample {sample}: give a number of 1 or more.")
        found, scopes = [], scope_of(names, of)
        for standing in chosen(names, database):
            if sample is not None:
                scopes = audit.sample(standing.measure, sample, seed)
            found.append(Verdict(standing, scopes, interventions.verify(standing, scopes)))
            if not as_json:
                self._tell(found[-1])
        wrong = sum(verdict.wrong for verdict in found)
        if as_json:
            self.write_json([verdict.as_json() for verdict in found])
        else:
            audited = sum(verdict.audit is not None for verdict in found)
            self.out.write(f"{audited} measures audited, {wrong} buckets wrong")
        if wrong:
            raise CommandError(f"{wrong} buckets are wrong: run manage.py livecounters rebuild.")
        if order := sum(verdict.scores for verdict in found):
            raise CommandError(
                f"{order} scores of leaderboards are wrong: run manage.py livecounters rebuild."
            )

    def _tell(self, verdict: Verdict) -> None:
        names = " ".join(verdict.standing.names)
        if verdict.audit is None:
            self.out.write(self.style.WARNING(f"not ready: {names}"))
            self.out.write(f"  {verdict.standing.trouble}")
        elif verdict.wrong:
            self.out.write(self.style.ERROR(f"{verdict.wrong} wrong: {names}"))
            for drift in verdict.audit.some[:SHOWN]:
                self.out.write(f"  {drift.told(verdict.standing.measure.clock)}")
        elif verdict.scores:
            self.out.write(self.style.ERROR(f"{verdict.scores} scores wrong: {names}"))
        elif verdict.audit.unsettled:
            self.out.write(f"{verdict.audit.unsettled} about to be settled: {names}")
