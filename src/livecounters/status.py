"""How it goes: the state of everything in one database, and what is not as it should be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from livecounters import capture, feed, folding
from livecounters.feed import Place
from livecounters.leases import FAILING, PUMP
from livecounters.measures import declared_measures
from livecounters.models import Delta, Lease
from livecounters.settling import Waiting, waiting
from livecounters.standing import STATES, Standing, standings

__all__ = ["BACKLOG", "LONG", "Status", "status_of"]

BACKLOG = 10_000
"""Pending deltas from which on something is wrong: nobody folds, or not fast enough."""


LONG = 60
"""Seconds from which on a transaction that others wait for is forgotten."""


@dataclass(frozen=True)
class Status:
    """One database: triggers, measures, what is pending, who pumps, what the last audit found.

    ``oldest`` is the time of the oldest pending change *by its own row*: deltas do not say when
    they were written, and an import of old rows looks old at once.
    """

    database: str
    now: dt.datetime
    tables: dict[str, str]
    measures: list[Standing]
    pending: int
    oldest: dt.datetime | None
    leases: list[Lease]
    place: Place
    waiting: Waiting

    @property
    def pump(self) -> Lease | None:
        """The lease of the pump that is at work, if one is."""
        return next((one for one in self.leases if one.name == PUMP), None)

    @property
    def failing(self) -> bool:
        """Whether a pump is at work whose looks fail."""
        return any(one.name == FAILING for one in self.leases)

    @property
    def repairing(self) -> list[str]:
        """The counters whose numbers are being repaired."""
        keys = {one.name.partition(":")[2] for one in self.leases if one.name.startswith("repair:")}
        return [name for one in self.measures if one.measure.key in keys for name in one.names]

    @property
    def audited_at(self) -> dt.datetime | None:
        """The moment since which everything has been audited; ``None`` if something never was."""
        known = [
            one.captured.audited_at
            for one in self.measures
            if one.captured is not None and one.captured.audited_at is not None
        ]
        return min(known) if known and len(known) == len(self.measures) else None

    @property
    def drift(self) -> int:
        """Wrong buckets at the last audits."""
        return sum((one.captured.drift or 0) for one in self.measures if one.captured is not None)

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, with the cure, in the active language."""
        return list(self._problems())

    def _problems(self) -> Iterator[str]:
        for table, state in self.tables.items():
            if state != "installed":
                yield _("the triggers on %(table)s are %(state)s: run %(command)s") % {
                    "table": table,
                    "state": STATES[state],
                    "command": "manage.py livecounters sync",
                }
        for one in self.measures:
            names = " ".join(one.names)
            if one.trouble and one.triggers != "missing":
                yield f"{names}: {one.trouble}"
            if one.captured is not None and one.captured.drift:
                wrong = ngettext(
                    "%(number)s wrong bucket at the last audit: run %(command)s",
                    "%(number)s wrong buckets at the last audit: run %(command)s",
                    one.captured.drift,
                ) % {"number": one.captured.drift, "command": "manage.py livecounters rebuild"}
                yield f"{names}: {wrong}"
        yield from self._backlog()

    def _backlog(self) -> Iterator[str]:
        if self.pending > BACKLOG:
            if self.pump:
                text = _("%(number)s deltas are pending: the pump does not keep up")
            else:
                text = _("%(number)s deltas are pending: no pump is at work")
            yield text % {"number": self.pending}
        if self.failing:
            yield _("the pump is at work and comes to no end: its log says why")
        if self.waiting.blind:
            yield _("%(number)s changes are never settled: see the check %(check)s") % {
                "number": self.waiting.marks,
                "check": "livecounters.E019",
            }
        for holder in self.waiting.holders:
            if holder.seconds > LONG:
                yield _(
                    "%(number)s changes wait to be settled until %(who)s ends its transaction of "
                    "%(seconds)s seconds: commit it or end it"
                ) % {"number": self.waiting.marks, "who": holder.who, "seconds": holder.seconds}

    def as_json(self) -> dict[str, Any]:
        pump = self.pump
        return {
            "database": self.database,
            "tables": self.tables,
            "not_ready": {
                name: one.trouble for one in self.measures if one.trouble for name in one.names
            },
            "pending": self.pending,
            "oldest": _iso(self.oldest),
            "pump": pump and {"holder": pump.holder, "until": _iso(pump.expires_at)},
            "repairing": self.repairing,
            "marks": self.waiting.marks,
            "waiting_for": [holder._asdict() for holder in self.waiting.holders],
            "audited_at": _iso(self.audited_at),
            "drift": self.drift,
            "seq": self.place.seq,
            "epoch": self.place.epoch,
            "problems": self.problems,
        }


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def status_of(using: str, now: dt.datetime) -> Status:
    """Look at one database; changes nothing."""
    return Status(
        using,
        now,
        {state.table: state.state for state in capture.states(using)},
        standings(using),
        folding.pending(using),
        _oldest(using),
        [*Lease.objects.using(using).filter(expires_at__gt=now)],
        feed.head(using),
        waiting(using),
    )


def _oldest(using: str) -> dt.datetime | None:
    clocks = {one.key: one.clock for one in declared_measures()}
    first = Delta.objects.using(using).filter(at__isnull=False).order_by("id").first()
    if first is None or first.at is None or first.measure not in clocks:
        return None
    return clocks[first.measure].moment(first.at)
