"""The difference: what there is, less what is kept, as the SQL of one statement.

In one snapshot ``defining query = buckets + visible deltas`` holds for every measure that is
captured, with writers at work, because a delta becomes visible together with its row. So what
this statement finds is drift and nothing else; nobody's write and nobody's fold changes it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Max, Min, Q

from livecounters.dialects import Dialect
from livecounters.keys import split
from livecounters.measures import Measure
from livecounters.models import Bucket, Delta, Measured, Member
from livecounters.retention import kept_since
from livecounters.rows import PREFIX
from livecounters.windows import DAY, EARLIEST, LATEST, MINUTE, QUARTER, Clock, Grain

__all__ = ["Difference", "differences"]

SUMS = ("count", "total", "members")

# Of the trees in which the changes of clocks are looked up; SQLite's parser goes only so deep.
BRANCHES = 16

# Days are compared from the first to the last that there is, and for what comes meanwhile at
# least a year beyond; in steps, so that measures share what is known of the zone.
YEAR = 366 * DAY
DECADE = 10 * YEAR


Tables = list[tuple[str, str]]
"""Common tables of a statement: (name, SELECT), each of those before it."""


@dataclass(frozen=True)
class Difference:
    """The difference of one table of sums: a SELECT of its columns, and of what is kept.

    ``foreseen`` is what it will be when the difference before it has been added.
    """

    model: type[models.Model]
    sql: str
    foreseen: Difference | None = None

    @property
    def columns(self) -> list[str]:
        return _columns(self.model)

    @property
    def keys(self) -> list[str]:
        return _keys(self.model)

    @property
    def sums(self) -> list[str]:
        return _sums(self.model)


def _columns(model: type[models.Model]) -> list[str]:
    return [field.column for field in model._meta.concrete_fields if field.column]


def _keys(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.pk_fields]


def _sums(model: type[models.Model]) -> list[str]:
    return [name for name in SUMS if name in _columns(model)]


def differences(
    dialect: Dialect, measure: Measure, scopes: Sequence[str] | None, now: dt.datetime
) -> Iterator[Difference]:
    """What is to be compared, in this order: of members first the rows, then who was last where.

    Taken one after the other: the second is right only when the first has been added.
    """
    if scopes is not None and not scopes:
        return
    text = _Text(dialect, measure, scopes, now)
    if measure.member is None:
        yield Difference(Bucket, text.of_sums(Bucket))
    else:
        yield Difference(Member, text.of_sums(Member))
        foreseen = Difference(Bucket, text.of_latest(foreseen=True))
        yield Difference(Bucket, text.of_latest(), foreseen)


class _Step(NamedTuple):
    """The buckets of one grain, so many seconds long: which are looked at, by their start."""

    grain: Grain
    size: int
    first: int
    end: int


class _Text:
    """The SQL of one measure's differences, its values written out."""

    def __init__(
        self, dialect: Dialect, measure: Measure, scopes: Sequence[str] | None, now: dt.datetime
    ) -> None:
        self.dialect = dialect
        self.measure = measure
        self.scopes = None if scopes is None else list(scopes)
        self.key = dialect.literal(measure.key)
        self.days = _Step(Grain.DAY, DAY, *_days(measure))
        self.steps = [
            self.days,
            *(
                _Step(grain, size, kept_since(measure, grain, now), LATEST)
                for grain, size in ((Grain.QUARTER, QUARTER), (Grain.MINUTE, MINUTE))
            ),
        ]

    @property
    def _of(self) -> str:
        """The measure, and the scopes that are looked at."""
        of = f"measure = {self.key}"
        if self.scopes is not None:
            of += f" AND scope IN ({', '.join(map(self.dialect.literal, self.scopes))})"
        return of

    @property
    def _floor(self) -> str:
        """The stamp below which events may be gone; asked in the statement itself, because it
        rises together with what is deleted."""
        return (
            f"(SELECT COALESCE(MAX({self.dialect.quote('floor')}), {EARLIEST}) FROM {self.dialect.table(Measured)} "
            f"WHERE measure = {self.key})"
        )

    def _above(self, start: str) -> str:
        """Of buckets, those that are not below the floor."""
        return f" AND {start} >= {self._floor}" if self.measure.append_only else ""

    def _truth(self) -> str:
        """What there is: (scope, member, at, count, total)."""
        measure, rows = self.measure, self.measure.rows
        if self.scopes is not None and measure.scope_fields:
            # By the host's own columns and indexes, and then exactly.
            several = len(measure.scope_fields) > 1
            scopes = [split(scope) if several else [scope] for scope in self.scopes]
            for n, (name, field) in enumerate(measure.scope_fields.items()):
                keys = {field.to_python(keys[n]) for keys in scopes}
                rows = rows.filter(**{f"{PREFIX}{name}__in": keys})
        return (
            f"SELECT * FROM ({self.dialect.sums(measure, [(None, '')], rows)}) q WHERE {self._of}"
        )

    def of_sums(self, model: type[models.Model]) -> str:
        """(columns of the model, what is kept): what there is, less what is kept."""
        return self._beside(model, [*self._flow(), ("difference", self._less_kept(model))])

    def of_latest(self, foreseen: bool = False) -> str:
        """(columns of Bucket, what is kept): where members were last seen, less what is kept of
        it; as the rows of members are, or as they will be."""
        tables: Tables = [("people", self._people())]
        if foreseen:
            tables = [*self._flow(), ("wrong", self._less_kept(Member))]
            tables.append(("people", self._people_foreseen()))
        latest = (
            "SELECT scope, grain, MAX(start) AS start FROM people WHERE count > 0 "
            "GROUP BY scope, grain, member"
        )
        tables += [("latest", latest), ("difference", self._less_kept_latest())]
        return self._beside(Bucket, tables)

    def _beside(self, model: type[models.Model], tables: Tables) -> str:
        """The difference with the kept numbers beside it, of the same snapshot."""
        on = " AND ".join(f"k.{key} = x.{key}" for key in _keys(model))
        columns = ", ".join(f"x.{column} AS {column}" for column in _columns(model))
        kept = ", ".join(f"COALESCE(k.{name}, 0) AS kept_{name}" for name in _sums(model))
        # Side by side and not inside each other: SQLite's parser goes only so deep.
        common = ", ".join(f"{name} AS ({sql})" for name, sql in tables)
        return (
            f"WITH {common} SELECT {columns}, {kept} FROM difference x "
            f"LEFT JOIN {self.dialect.table(model)} k ON {on}"
        )

    def _flow(self) -> Tables:
        """What should be in the buckets: what there is, without the deltas that are pending."""
        above = ""
        if self.measure.append_only:
            # Events that are in no day are never pruned.
            above = f" AND (at IS NULL OR at < {EARLIEST} OR at >= {self._floor})"
        columns = "scope, member, at, count, total"
        flow = (
            f"SELECT {columns} FROM truth WHERE true{above} "
            f"UNION ALL SELECT scope, member, at, -count, -total "
            f"FROM {self.dialect.table(Delta)} WHERE {self._of}{above}"
        )
        return [("truth", self._truth()), ("flow", flow)]

    def _less_kept(self, model: type[models.Model]) -> str:
        who = "member, " if model is Member else ""
        table = self.dialect.table(model)
        total, members = ("0", "0") if who else ("-total", "-members")
        parts = [
            f"SELECT scope, {grain.value} AS grain, {who}{start} AS start, count, total, "
            f"0 AS members FROM {source}"
            for grain, start, source in self._spread()
        ]
        parts.append(
            f"SELECT scope, grain, {who}start, -count, {total}, {members} FROM {table} "
            f"WHERE {self._of} AND {self._looked_at()}"
        )
        if self.measure.append_only:
            # What is below the floor is in the sum of all times, and is not looked at.
            parts.append(
                f"SELECT scope, {Grain.EVER.value}, {who}0, count, {'0' if who else 'total'}, 0 "
                f"FROM {table} WHERE {self._of} AND grain = {Grain.DAY.value} "
                f"AND start < {self._floor}"
            )
        names = ["count"] if who else SUMS
        return (
            f"SELECT {self.key} AS measure, scope, grain, {who}start, {_added(names)} "
            f"FROM ({' UNION ALL '.join(parts)}) p GROUP BY scope, grain, {who}start "
            f"HAVING {_differ(names)}"
        )

    def _spread(self) -> Iterator[tuple[Grain, str, str]]:
        """The flow as it falls into buckets: (grain, start of the bucket, of which rows)."""
        yield Grain.EVER, "0", "flow"
        for step in self.steps:
            in_zone = step is self.days and not self.measure.clock.wall
            start = _day_start(self.measure.clock, step) if in_zone else _floored("at", step.size)
            yield step.grain, start, f"flow WHERE at >= {step.first} AND at < {step.end}"

    def _people(self) -> str:
        """The rows of members."""
        return (
            f"SELECT scope, grain, member, start, count FROM {self.dialect.table(Member)} "
            f"WHERE {self._of}"
        )

    def _people_foreseen(self) -> str:
        columns = "scope, grain, member, start"
        return (
            f"SELECT {columns}, SUM(count) AS count FROM ({self._people()} "
            f"UNION ALL SELECT {columns}, count FROM wrong) r GROUP BY {columns}"
        )

    def _less_kept_latest(self) -> str:
        return (
            f"SELECT {self.key} AS measure, scope, grain, start, {_added(SUMS)} FROM ("
            "SELECT scope, grain, start, 0 AS count, 0 AS total, 1 AS members FROM latest "
            "UNION ALL SELECT scope, grain, start, -count, -total, -members "
            f"FROM {self.dialect.table(Bucket)} WHERE {self._of}"
            f") p WHERE {self._looked_at()} "
            f"GROUP BY scope, grain, start HAVING {_differ(SUMS)}"
        )

    def _looked_at(self) -> str:
        """Which buckets are compared."""
        chosen = [f"grain = {Grain.EVER.value}"]
        chosen += [
            f"(grain = {step.grain.value} AND start >= {step.first} AND start < {step.end}"
            f"{self._above('start')})"
            for step in self.steps
        ]
        return f"({' OR '.join(chosen)})"


def _added(names: Sequence[str]) -> str:
    return ", ".join(f"SUM({name}) AS {name}" for name in names)


def _differ(names: Sequence[str]) -> str:
    return " OR ".join(f"SUM({name}) <> 0" for name in names)


def _floored(sql: str, step: int) -> str:
    """Down to a multiple, of what may be negative."""
    return f"({sql} - (({sql} % {step}) + {step}) % {step})"


def _day_start(clock: Clock, days: _Step) -> str:
    """The start of the day of ``at``, as ``Clock.day_start`` says it."""
    runs = _runs(clock, days.first, days.end)
    pieces = []
    for (first, last), (after, _) in zip(runs, [*runs[1:], (days.end, 0)], strict=True):
        pieces.append((first, f"at - (at - {first}) % {DAY}"))
        if after - last > DAY:
            # The clocks went back on the last day of the run.
            pieces.append((last + DAY, str(last)))
    return _choice("at", pieces)


@lru_cache(maxsize=8)
def _runs(clock: Clock, first: int, end: int) -> list[tuple[int, int]]:
    return clock.runs(first, end)


def _choice(sql: str, pieces: Sequence[tuple[int, str]]) -> str:
    """The piece that a number falls into, by where they begin; searched in a broad tree."""
    if len(pieces) == 1:
        return f"({pieces[0][1]})"
    size = -(-len(pieces) // BRANCHES)
    branches = [pieces[start : start + size] for start in range(0, len(pieces), size)]
    whens = "".join(
        f"WHEN {sql} < {after[0][0]} THEN {_choice(sql, branch)} "
        for branch, after in itertools.pairwise(branches)
    )
    return f"(CASE {whens}ELSE {_choice(sql, branches[-1])} END)"


# Which days


def _days(measure: Measure) -> tuple[int, int]:
    """The days that are compared: all that there are, with a margin on both sides."""
    found = [*_days_there(measure), *_days_kept(measure)]
    if not found:
        return 0, 0
    low = (min(found) - YEAR) // DECADE * DECADE
    high = -(-(max(found) + YEAR) // DECADE) * DECADE
    # The ends of time are in no day: what is there counts in the sum of all times only.
    low, high = max(low, EARLIEST + 3 * DAY), min(high, LATEST - 3 * DAY)
    return measure.clock.day_start(low), measure.clock.day_start(high)


def _days_there(measure: Measure) -> list[int]:
    if measure.at_field is None:
        return []
    column = f"{PREFIX}at"
    dates = measure.clock.dates
    # Far moments are how hosts write "never"; no calendar needs to be made up to them.
    start, end = (_edge(stamp, dates) for stamp in (EARLIEST + 3 * DAY, LATEST - 3 * DAY))
    within = Q(**{f"{column}__gte": start, f"{column}__lt": end})
    rows = measure.rows.using(measure.using)
    found = rows.aggregate(low=Min(column, filter=within), high=Max(column, filter=within))
    return [_stamp(measure.clock, end) for end in found.values() if end is not None]


def _days_kept(measure: Measure) -> list[int]:
    ends = []
    for model in (Bucket, Member):
        kept = model._default_manager.using(measure.using).filter(
            measure=measure.key, grain=Grain.DAY, start__gte=EARLIEST, start__lt=LATEST
        )
        ends += [*kept.aggregate(low=Min("start"), high=Max("start")).values()]
    return [end for end in ends if end is not None]


def _edge(stamp: int, dates: bool) -> dt.date:
    moment = dt.datetime.fromtimestamp(stamp, dt.UTC)
    if dates:
        return moment.date()
    return moment if settings.USE_TZ else moment.replace(tzinfo=None)


def _stamp(clock: Clock, end: dt.date) -> int:
    if not isinstance(end, dt.datetime):
        end = dt.datetime.combine(end, dt.time(), clock.zone)
    if end.tzinfo is None:
        end = end.replace(tzinfo=clock.zone)
    return clock.stamp(end)
