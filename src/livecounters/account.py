"""A number's own account: what it is made of, and that it adds up.

The parts and the source are read in one statement, so they are of one snapshot and a difference
between them is one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import Any

from django.utils.translation import gettext as _

from livecounters.declarations import Avg, Shown
from livecounters.dialects import dialect_of
from livecounters.ledger import Item, Itemized, Tally, itemized
from livecounters.readers import Counter, Number, aware
from livecounters.settling import Waiting, waiting
from livecounters.standing import Standing, standing_of
from livecounters.summands import Ask
from livecounters.windows import Grain, Interval, Window

__all__ = ["Account", "Part", "account_of"]

# How it is shown comes after what it is.
SHOWN = {field.name for field in fields(Shown)}


@dataclass(frozen=True)
class Part:
    """One summand: of what, from how many rows, how much."""

    what: str
    rows: int
    amount: Any


@dataclass(frozen=True)
class Account:
    """How one value of a counter comes about."""

    counter: Counter
    scope: str
    standing: Standing
    interval: Interval
    parts: list[Part]
    value: Number
    counted: Number
    waiting: Waiting
    now: dt.datetime

    @property
    def declared(self) -> str:
        """The declaration, without what it leaves at the default."""
        declared = self.counter.entry.declared
        given = [
            f"{field.name}={value!r}"
            for field in sorted(fields(declared), key=lambda field: field.name in SHOWN)
            if (value := getattr(declared, field.name)) != field.default
        ]
        return f"{type(declared).__name__}({', '.join(given)})"

    @property
    def sql(self) -> str:
        """The defining query, as the database runs it."""
        measure = self.counter.measure
        return dialect_of(measure.using).rows(measure.rows)

    @property
    def window(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        """From when, and up to when (not including it); ``None`` is without bound."""
        clock = self.counter.measure.clock
        start, end = (None if end is None else clock.moment(end) for end in self.interval)
        return start, end

    @property
    def pruned(self) -> bool:
        """Whether events that it counts may be gone, so that nothing can be counted again."""
        floor = self.standing.floor
        start = self.interval.start
        return floor is not None and (start is None or start < floor)

    @property
    def verdict(self) -> str:
        """Whether what is kept adds up, in the active language."""
        if self.pruned:
            return _("not comparable: events before the floor may have been pruned")
        if self.value == self.counted:
            return _("equal")
        if self.value is None or self.counted is None:
            return _("differs: %(number)s by count") % {"number": self.counted}
        difference: Any = self.value - self.counted  # type: ignore[operator]
        if self.waiting.marks:
            text = _("differs by %(number)s, until marked changes are settled")
        else:
            text = _("differs by %(number)s")
        return text % {"number": f"{difference:+}"}

    @property
    def audit_age(self) -> float | None:
        """Seconds since the last audit."""
        captured = self.standing.captured
        if captured is None or captured.audited_at is None:
            return None
        return (self.now - aware(captured.audited_at)).total_seconds()

    def as_json(self) -> dict[str, Any]:
        captured = self.standing.captured
        start, end = self.window
        floor = self.standing.floor
        error = self.counter.error(self.value)
        doubt = {} if error is None else {"sample": self.counter.sample, "relative_error": error}
        return {
            "counter": self.counter.name,
            "of": self.scope or None,
            "declared": self.declared,
            "at": self.now.isoformat(),
            "database": self.counter.measure.using,
            "table": self.standing.table,
            "tables": [model._meta.db_table for model in self.counter.measure.models],
            "sql": self.sql,
            "measure": self.counter.measure.key,
            "shared_with": [name for name in self.standing.names if name != self.counter.name],
            "triggers": self.standing.triggers,
            "since": _iso(self.standing.since),
            "ready": self.standing.in_force,
            "trouble": self.standing.trouble,
            "floor": None if floor is None else _iso(self.counter.measure.clock.moment(floor)),
            "window": {"from": _iso(start), "until": _iso(end)},
            "parts": [vars(part) for part in self.parts],
            "value": self.value,
            **doubt,
            "counted": self.counted,
            "verdict": self.verdict,
            "marks": self.waiting.marks,
            "waiting_for": [holder._asdict() for holder in self.waiting.holders],
            "audited_at": _iso(captured.audited_at) if captured else None,
            "drift": captured.drift if captured else None,
        }


def account_of(
    counter: Counter,
    of: Any = None,
    now: dt.datetime | None = None,
    window: Window | None = None,
) -> Account:
    """The account of one value, as it is now."""
    now = aware(now)
    scope = counter.scope(of)
    interval = counter.interval(window, now)
    ask = Ask(counter.measure, (scope,), interval)
    found = itemized(ask)
    counted = counter.worth(found.source.tally)
    value = counter.worth(_sum(found)) if found.in_force else counted
    measure, parts = counter.measure, _parts(counter, ask, found)
    waits = waiting(measure.using) if measure.joined else Waiting()
    standing = standing_of(measure)
    return Account(counter, scope, standing, interval, parts, value, counted, waits, now)


def _sum(found: Itemized) -> Tally:
    items = [*found.spans, found.corrected, found.pending]
    tallies = [item.tally for item in items]
    return Tally(
        sum(tally.count for tally in tallies),
        sum(tally.total for tally in tallies),
        sum(tally.members for tally in tallies),
        found.corrected.tally.low,
        found.corrected.tally.high,
    )


def _parts(counter: Counter, ask: Ask, found: Itemized) -> list[Part]:
    if not found.in_force:
        return [_part(counter, _("rows of the source"), found.source)]
    spans = zip(ask.spans, found.spans, strict=False)
    parts = [_part(counter, _buckets(span.grain), item) for span, item in spans]
    if ask.measure.extremes:
        parts.append(_part(counter, _("kept values"), found.corrected))
    elif ask.measure.member is not None:
        # Whoever has a pending delta is in here.
        parts.append(_part(counter, _("members corrected"), found.corrected))
    pending = _part(counter, _("pending deltas"), found.pending)
    return [*parts, pending]


def _buckets(grain: Grain) -> str:
    """As ``explain`` names them."""
    return {
        Grain.EVER: _("ever buckets"),
        Grain.DAY: _("day buckets"),
        Grain.QUARTER: _("quarter buckets"),
        Grain.MINUTE: _("minute buckets"),
    }[grain]


def _part(counter: Counter, what: str, item: Item) -> Part:
    tally = item.tally
    if isinstance(counter.entry.declared, Avg):
        return Part(what, item.rows, {"count": tally.count, "total": tally.total})
    return Part(what, item.rows, counter.worth(tally))


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
