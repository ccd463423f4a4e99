"""The audit: what is kept against what there is, and the repair of the difference.

In one snapshot ``defining query = buckets + visible deltas`` holds for every measure that is
captured, with writers at work, because a delta becomes visible together with its row. So the
difference, taken in one statement, is drift and nothing else. Nobody's write and nobody's fold
changes it. It may be added to the buckets at any later time, in any portions: that is repair,
backfill and rebuild in one, without a lock that a writer would notice. Only two repairs of one
measure at a time would both add it: hence the lease, taken before the snapshot and asked again
in the transaction of each portion.
"""

from __future__ import annotations

import datetime as dt
import itertools
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Max, Min
from django.utils import timezone

from livecounters import leases
from livecounters.conf import options
from livecounters.dialects import Dialect, dialect_of
from livecounters.exceptions import Busy
from livecounters.folding import alone
from livecounters.measures import Measure
from livecounters.models import Bucket, Delta, Measured, Member
from livecounters.rows import PREFIX
from livecounters.windows import DAY, EARLIEST, LATEST, MINUTE, QUARTER, Clock, Grain

__all__ = ["Audit", "Drift", "repair", "verify"]

logger = logging.getLogger("livecounters")

# Rows that one transaction adds.
PORTION = 5_000
LEASE = 120.0

TEMPORARY = "livecounters_difference"

Progress = Callable[[int, int], None]
"""Called with (portions' rows done, rows in all)."""


@dataclass(frozen=True)
class Drift:
    """One bucket that is not what it should be; the numbers are (kept, right)."""

    scope: str
    member: str
    grain: Grain
    start: int
    count: tuple[int, int]
    total: tuple[int, int]
    members: tuple[int, int]

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "scope": self.scope,
            "grain": self.grain.name.lower(),
            "start": self.start,
        }
        if self.member:
            found["member"] = self.member
        for name in ("count", "total", "members"):
            kept, right = getattr(self, name)
            if kept != right:
                found[name] = {"kept": kept, "right": right}
        return found


@dataclass(frozen=True)
class Audit:
    """What an audit of one measure found: how many buckets are wrong, and some of them."""

    wrong: int
    some: list[Drift]


def verify(
    measure: Measure,
    scopes: Sequence[str] | None = None,
    now: dt.datetime | None = None,
    limit: int = 100,
) -> Audit:
    """Compare what is kept with what there is, in one snapshot for each table.

    Never a false alarm, beside writers and folders alike.
    """
    dialect = dialect_of(measure.using)
    wrong, some = 0, []
    for part in _parts(dialect, measure, scopes, now or timezone.now()):
        with dialect.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT d.*, COUNT(*) OVER () FROM ({part.sql}) d ORDER BY {part.order} "
                f"LIMIT {limit}"
            )
            rows = cursor.fetchall()
        wrong += rows[0][-1] if rows else 0
        some += [part.drift(row[:-1]) for row in rows]
    if scopes is None:
        Measured.objects.using(measure.using).filter(measure=measure.key).update(
            audited_at=now or timezone.now(), drift=wrong
        )
    return Audit(wrong, some)


def repair(
    measure: Measure,
    scopes: Sequence[str] | None = None,
    now: dt.datetime | None = None,
    progress: Progress | None = None,
    told: bool = True,
) -> int:
    """Make what is kept equal to what there is; answers how many buckets were corrected.

    Safe beside writers, readers and folders; killed at any point it can be begun again and goes
    on. Every correction is logged if ``told``. Raises ``Busy`` while another repairs the measure.
    """
    dialect = dialect_of(measure.using)
    name, holder = f"repair:{measure.key}", secrets.token_hex(8)
    if not leases.hold(name, holder, timezone.now(), LEASE, measure.using):
        raise Busy(f"another process is repairing {measure.key}; it will be done when that is.")
    try:
        return sum(
            _add_difference(_Portions(dialect, part, name, holder), measure, progress, told)
            for part in _parts(dialect, measure, scopes, now or timezone.now())
        )
    finally:
        leases.release(name, holder, measure.using)


# The difference


@dataclass(frozen=True)
class _Part:
    """The difference of one table of sums: a SELECT of its columns."""

    model: type[models.Model]
    sql: str

    @property
    def columns(self) -> list[str]:
        return [field.column for field in self.model._meta.concrete_fields if field.column]

    @property
    def order(self) -> str:
        return ", ".join(field.column for field in self.model._meta.pk_fields)

    @property
    def sums(self) -> list[str]:
        return [name for name in ("count", "total", "members") if name in self.columns]

    def drift(self, row: Sequence[Any]) -> Drift:
        found = dict(
            zip([*self.columns, *(f"kept_{name}" for name in self.sums)], row, strict=True)
        )
        pairs = {}
        for name in ("count", "total", "members"):
            kept = int(found.get(f"kept_{name}", 0))
            pairs[name] = (kept, kept + int(found.get(name, 0)))
        return Drift(
            found["scope"], found.get("member", ""), Grain(found["grain"]), found["start"], **pairs
        )


def _parts(
    dialect: Dialect, measure: Measure, scopes: Sequence[str] | None, now: dt.datetime
) -> Iterator[_Part]:
    """What is to be compared, in this order: of members first the rows, then who was last where."""
    text = _Text(dialect, measure, scopes, now)
    if measure.member is None:
        yield _with_kept(dialect, _Part(Bucket, text.difference(Bucket)))
    else:
        yield _with_kept(dialect, _Part(Member, text.difference(Member)))
        yield _with_kept(dialect, _Part(Bucket, text.latest()))


def _with_kept(dialect: Dialect, part: _Part) -> _Part:
    """With the kept numbers beside the difference, of the same snapshot."""
    keys = [field.column for field in part.model._meta.pk_fields]
    on = " AND ".join(f"k.{key} = x.{key}" for key in keys)
    columns = ", ".join(f"x.{column} AS {column}" for column in part.columns)
    kept = ", ".join(f"COALESCE(k.{name}, 0) AS kept_{name}" for name in part.sums)
    return _Part(
        part.model,
        f"SELECT {columns}, {kept} FROM ({part.sql}) x "
        f"LEFT JOIN {dialect.table(part.model)} k ON {on}",
    )


class _Text:
    """The SQL of one measure's difference, its values written out."""

    def __init__(
        self, dialect: Dialect, measure: Measure, scopes: Sequence[str] | None, now: dt.datetime
    ) -> None:
        self.dialect = dialect
        self.measure = measure
        self.scopes = None if scopes is None else list(scopes)
        self.key = dialect.literal(measure.key)
        self.floor = _floor(measure)
        self.start, self.end = _range(measure, self.floor)
        moment = measure.clock.stamp(now)
        quarters = None if measure.personal else options().quarter_hours
        self.quarters = EARLIEST if quarters is None else moment - quarters * DAY
        self.minutes = moment - options().minutes * DAY
        if self.floor is not None:
            self.quarters, self.minutes = (
                max(self.floor, t) for t in (self.quarters, self.minutes)
            )

    @property
    def _of(self) -> str:
        """The measure, and the scopes that are looked at."""
        of = f"measure = {self.key}"
        if self.scopes is not None:
            of += f" AND scope IN ({', '.join(map(self.dialect.literal, self.scopes))})"
        return of

    def _truth(self) -> str:
        """What there is: (scope, member, at, count, total)."""
        measure, rows = self.measure, self.measure.rows
        if self.scopes is not None and measure.scope_field is not None:
            # By the host's own column and index, and then exactly.
            keys = [measure.scope_field.to_python(scope) for scope in self.scopes]
            rows = rows.filter(**{f"{PREFIX}scope__in": keys})
        return (
            f"SELECT * FROM ({self.dialect.sums(measure, [(None, '')], rows)}) q WHERE {self._of}"
        )

    def _flow(self) -> str:
        """What should be in the buckets: what there is, without the deltas that are pending."""
        above = "" if self.floor is None else f" AND at >= {self.floor}"
        return (
            f"SELECT scope, member, at, count, total FROM ({self._truth()}) t WHERE true{above} "
            f"UNION ALL SELECT scope, member, at, -count, -total "
            f"FROM {self.dialect.table(Delta)} WHERE {self._of}{above}"
        )

    def _spread(self) -> Iterator[tuple[Grain, str, str]]:
        """(grain, start of a bucket in SQL, which stamps are looked at in it)."""
        yield Grain.EVER, "0", "true"
        yield Grain.DAY, self._day(), f"at >= {self.start} AND at < {self.end}"
        for grain, step, since in (
            (Grain.QUARTER, QUARTER, self.quarters),
            (Grain.MINUTE, MINUTE, self.minutes),
        ):
            first = -(-since // step) * step
            yield grain, _floored("at", step), f"at >= {first} AND at < {LATEST}"

    def _looked_at(self) -> str:
        """Which buckets are compared."""
        chosen = [
            f"(grain = {grain.value} AND {stamps.replace('at ', 'start ')})"
            for grain, _, stamps in self._spread()
        ]
        return f"({' OR '.join(chosen)})"

    def difference(self, model: type[models.Model]) -> str:
        """(columns of the model): what there is, less what is kept."""
        name = "member" if model is Member else ""
        who = f"{name}, " if name else ""
        parts = [
            f"SELECT scope, {grain.value} AS grain, {who}{start} AS start, count, total "
            f"FROM flow WHERE {stamps}"
            for grain, start, stamps in self._spread()
        ]
        table = self.dialect.table(model)
        total = "0" if name else "-total"
        parts.append(
            f"SELECT scope, grain, {who}start, -count, {total} FROM {table} "
            f"WHERE {self._of} AND {self._looked_at()}"
        )
        if self.floor is not None:
            # What is below the floor is in the sum of all times, and is not looked at.
            parts.append(
                f"SELECT scope, {Grain.EVER.value}, {who}0, count, {'0' if name else 'total'} "
                f"FROM {table} WHERE {self._of} AND grain = {Grain.DAY.value} "
                f"AND start < {self.floor}"
            )
        sums = "SUM(count) AS count"
        if not name:
            sums += ", SUM(total) AS total, 0 AS members"
        changed = "SUM(count) <> 0" if name else "SUM(count) <> 0 OR SUM(total) <> 0"
        return (
            f"WITH flow AS ({self._flow()}) SELECT {self.key} AS measure, scope, grain, {who}start, "
            f"{sums} FROM ({' UNION ALL '.join(parts)}) p GROUP BY scope, grain, {who}start "
            f"HAVING {changed}"
        )

    def latest(self) -> str:
        """(columns of Bucket): where members were last seen, less what is kept of it."""
        member, bucket = self.dialect.table(Member), self.dialect.table(Bucket)
        return (
            f"SELECT {self.key} AS measure, scope, grain, start, 0 AS count, 0 AS total, "
            "SUM(members) AS members FROM ("
            "SELECT scope, grain, start, 1 AS members FROM ("
            f"SELECT scope, grain, member, MAX(start) AS start FROM {member} "
            f"WHERE {self._of} AND count > 0 GROUP BY scope, grain, member) l "
            f"UNION ALL SELECT scope, grain, start, -members FROM {bucket} WHERE {self._of}"
            f") p WHERE {self._looked_at()} "
            "GROUP BY scope, grain, start HAVING SUM(members) <> 0"
        )

    def _day(self) -> str:
        """The start of the day of ``at``, in the measure's zone (see ``Clock.midnight``)."""
        clock = self.measure.clock
        if clock.wall:
            return _floored("at", DAY)
        local = f"(at + {_choice('at', clock.offsets(self.start, self.end))})"
        utc_midnight = _floored(local, DAY)
        shift = _choice(utc_midnight, clock.shifts(self.start - 2 * DAY, self.end + 2 * DAY))
        return f"({utc_midnight} - {shift})"


def _floored(sql: str, step: int) -> str:
    """Down to a multiple, of what may be negative."""
    return f"({sql} - (({sql} % {step}) + {step}) % {step})"


def _choice(sql: str, runs: Sequence[tuple[int, int]]) -> str:
    """The value of the run that a number falls into."""
    if len(runs) == 1:
        return f"({runs[0][1]})"
    whens = " ".join(
        f"WHEN {sql} < {after} THEN {value}" for (_, value), (after, _) in itertools.pairwise(runs)
    )
    return f"(CASE {whens} ELSE {runs[-1][1]} END)"


def _floor(measure: Measure) -> int | None:
    found = Measured.objects.using(measure.using).filter(measure=measure.key)
    return found.values_list("floor", flat=True).first()


def _range(measure: Measure, floor: int | None) -> tuple[int, int]:
    """The days that are compared: all that there are, and a year on both sides for what comes
    meanwhile."""
    clock = measure.clock
    ends = []
    if measure.at_field is not None:
        column = f"{PREFIX}at"
        found = measure.rows.using(measure.using).aggregate(low=Min(column), high=Max(column))
        ends += [_stamp(clock, end) for end in found.values() if end is not None]
    days = Bucket if measure.member is None else Member
    kept = days._default_manager.using(measure.using).filter(measure=measure.key, grain=Grain.DAY)
    ends += [
        end
        for end in kept.aggregate(low=Min("start"), high=Max("start")).values()
        if end is not None
    ]
    if not ends:
        return 0, 0
    low = max(min(ends) - 366 * DAY, EARLIEST + 3 * DAY)
    high = min(max(ends) + 366 * DAY, LATEST - 3 * DAY)
    start = clock.day_start(low) if floor is None else max(clock.day_start(low), floor)
    return start, clock.day_start(high)


def _stamp(clock: Clock, end: dt.date) -> int:
    if not isinstance(end, dt.datetime):
        end = dt.datetime.combine(end, dt.time(), clock.zone)
    if end.tzinfo is None:
        end = end.replace(tzinfo=clock.zone)
    return clock.stamp(end)


# Adding it


@dataclass(frozen=True)
class _Portions:
    """A difference, put aside in a temporary table and added portion by portion."""

    dialect: Dialect
    part: _Part
    name: str
    holder: str

    def prepare(self) -> int:
        """Take the difference; answers its rows."""
        with self.dialect.connection.cursor() as cursor:
            cursor.execute(self.dialect.drop_temporary_sql(TEMPORARY))
            for statement in self.dialect.temporary_sql(
                TEMPORARY,
                f"SELECT ROW_NUMBER() OVER (ORDER BY {self.part.order}) AS n, d.* "
                f"FROM ({self.part.sql}) d",
            ):
                cursor.execute(statement)
            cursor.execute(f"SELECT COUNT(*) FROM {TEMPORARY}")
            return int(cursor.fetchone()[0])

    def rows(self, after: int) -> list[Drift]:
        """A portion, to be told."""
        with self.dialect.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {TEMPORARY} WHERE {_portion(after)} ORDER BY n")
            return [self.part.drift(row[1:]) for row in cursor.fetchall()]

    def add(self, after: int) -> None:
        """Add a portion."""
        using = self.dialect.using
        leases.hold(self.name, self.holder, timezone.now(), LEASE, using)
        with alone(self.dialect):
            if not leases.keep(self.name, self.holder, using):
                raise Busy("another process has taken over this repair.")
            select = (
                f"SELECT {', '.join(self.part.columns)} FROM {TEMPORARY} WHERE {_portion(after)}"
            )
            with self.dialect.connection.cursor() as cursor:
                cursor.execute(self.dialect.add_from_sql(self.part.model, select))

    def drop(self) -> None:
        with self.dialect.connection.cursor() as cursor:
            cursor.execute(self.dialect.drop_temporary_sql(TEMPORARY))


def _portion(after: int) -> str:
    return f"n > {after} AND n <= {after + PORTION}"


def _add_difference(
    portions: _Portions, measure: Measure, progress: Progress | None, told: bool
) -> int:
    number = portions.prepare()
    for done in range(0, number, PORTION):
        rows = portions.rows(done) if told else []
        portions.add(done)
        for drift in rows:
            logger.warning(
                "livecounters: corrected %s: %s",
                measure.key,
                drift.as_json(),
                extra={"measure": measure.key, "drift": drift.as_json()},
            )
        if progress is not None:
            progress(min(done + PORTION, number), number)
    portions.drop()
    return number
