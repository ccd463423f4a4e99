"""Samples: what gauges said, minute by minute, and what they say now.

Several processes may write at once: what is added is added in the database. Times are in seconds
since 1970.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from django.db import router, transaction
from django.db.models import Q

from livecounters.conf import site_zone
from livecounters.dialects import dialect_of
from livecounters.gauges import Gauge
from livecounters.histogram import counted, quantile
from livecounters.models import Sample
from livecounters.registry import GaugeEntry, registry
from livecounters.series import Series, cut
from livecounters.windows import MINUTE, Clock, Window, last
from livecounters.worth import Number

__all__ = [
    "EVERY",
    "age",
    "database",
    "history",
    "latest",
    "many",
    "record",
    "record_many",
    "report",
    "series",
    "totals",
]

EVERY = MINUTE
"""How often is sampled what has no ``every`` of its own."""

# A value is known for so many times as long as it takes to the next, and so many seconds at least.
PATIENCE, SHORTEST = 3, 30


def database() -> str:
    """The database that holds the samples."""
    return router.db_for_write(Sample)


# Writing


def record(gauge: str, value: float, now: float) -> None:
    """Add a value to the minute of ``now``."""
    record_many(gauge, [value], now)


def report(values: Mapping[str, float], now: float) -> None:
    """Add a value to each of these gauges, in one transaction; all or none."""
    if not values:
        return
    with transaction.atomic(using=database()):
        # In one order, so that processes that report at once do not wait for each other crosswise.
        for gauge, value in sorted(values.items()):
            record(gauge, value, now)


def record_many(gauge: str, values: Sequence[float], now: float) -> None:
    """Add the values of a gauge (its full name) to the minute of ``now``, in the order given. They
    must be finite."""
    numbers = [float(value) for value in values]
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{gauge}: give finite numbers, not {values!r:.200}.")
    if not numbers:
        return
    using = database()
    minute = int(now // MINUTE) * MINUTE
    bins = counted(numbers)
    row: dict[str, Any] = {
        "gauge": gauge,
        "minute": minute,
        "count": len(numbers),
        "total": math.fsum(numbers),
        "low": min(numbers),
        "high": max(numbers),
        "last": numbers[-1],
        "at": now,
        "histogram": json.dumps(bins),
    }
    with transaction.atomic(using=using):
        _add(using, row)
        _add_bins(using, gauge, minute, bins)


def _add(using: str, row: Mapping[str, Any]) -> None:
    """Add a row to that of its minute, all but the histogram, or make it that."""
    dialect = dialect_of(using)
    table, given = dialect.table(Sample), dialect.given

    def kept_if(sign: str, name: str, by: str) -> str:
        old, new = f"{table}.{by}", given(by)
        return f"CASE WHEN {old} {sign} {new} THEN {table}.{name} ELSE {given(name)} END"

    changes = {
        "count": f"{table}.count + {given('count')}",
        "total": f"{table}.total + {given('total')}",
        "low": kept_if("<", "low", "low"),
        "high": kept_if(">", "high", "high"),
        "last": kept_if(">", "last", "at"),
        "at": kept_if(">", "at", "at"),
    }
    with dialect.connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))}) "
            f"{dialect.on_conflict(('gauge', 'minute'), changes)}",
            list(row.values()),
        )


def _add_bins(using: str, gauge: str, minute: int, bins: Counter[int]) -> None:
    """Add to the histogram of a row that this transaction has written, and so holds alone."""
    rows = Sample.objects.using(using).filter(gauge=gauge, minute=minute)
    count, histogram = rows.select_for_update().values_list("count", "histogram").get()
    if count > bins.total():
        rows.update(histogram=_bins(histogram) + bins)


def _bins(histogram: Mapping[str, int]) -> Counter[int]:
    """The bins as they were counted: the keys of JSON are texts."""
    return Counter({int(number): count for number, count in histogram.items()})


# Reading


def age(entry: GaugeEntry) -> int:
    """For how many seconds a value is known: the next ones may be late."""
    declared = entry.declared
    every = declared.every if isinstance(declared, Gauge) else EVERY
    return max(PATIENCE * every, SHORTEST)


@dataclass(frozen=True, slots=True)
class _Minute:
    """A row of samples."""

    minute: int
    count: int
    total: float
    low: float
    high: float
    last: float
    at: float
    histogram: Mapping[str, int] = field(default_factory=dict)


class Totals(NamedTuple):
    """What was said in a minute: how often, altogether, and at most."""

    number: int
    total: float
    high: float


COLUMNS = tuple(column.name for column in fields(_Minute))
SUMS = COLUMNS[:-1]


def latest(gauges: Iterable[str], now: float) -> dict[str, Number]:
    """What each gauge (by its name) says now, in one query; ``None`` where that is not known."""
    entries = {name: registry.gauges.get(name) for name in gauges}
    since = {entry.full_name: _since(entry, now) for entry in entries.values()}
    wanted = Q()
    for full_name, start in since.items():
        wanted |= Q(gauge=full_name, minute__gt=start - MINUTE)
    rows: dict[str, list[_Minute]] = {full_name: [] for full_name in since}
    if since:
        found = Sample.objects.using(database()).filter(wanted)
        for full_name, *row in found.values_list("gauge", *SUMS):
            rows[full_name].append(_Minute(*row))
    return {
        name: _now(entry, rows[entry.full_name], since[entry.full_name])
        for name, entry in entries.items()
    }


def _since(entry: GaugeEntry, now: float) -> float:
    """Since when something must have been said for the gauge to be known."""
    if not _fed(entry):
        return now - age(entry)
    start = last(minutes=1).interval(int(now), Clock(dt.UTC)).start
    assert start is not None
    return start


def _fed(entry: GaugeEntry) -> bool:
    return isinstance(entry.declared, Gauge) and entry.declared.fed


def _now(entry: GaugeEntry, rows: list[_Minute], since: float) -> Number:
    if _fed(entry):
        return _mean([row for row in rows if row.minute >= since])
    newest = max(rows, key=lambda row: row.at, default=None)
    return _plain(newest.last) if newest is not None and newest.at >= since else None


def totals(prefix: str, minute: int) -> dict[str, Totals]:
    """What was said in one minute under all names that begin so, in one query."""
    rows = Sample.objects.using(database()).filter(gauge__startswith=prefix, minute=minute)
    return {
        name.removeprefix(prefix): Totals(number, total, high)
        for name, number, total, high in rows.values_list("gauge", "count", "total", "high")
    }


def series(
    gauge: str, window: Window, step: str, moment: dt.datetime, what: str = "mean"
) -> Series:
    """A window as seen at an aware moment, cut into steps; ``None`` where nothing was said.

    ``what``: the mean of all that was said in a step, its low, high or p95 (what 95 of 100 are
    not above, right within 5 %), or how much was said (count).
    """
    return history(registry.gauges.get(gauge).full_name, window, step, moment, what)


def history(
    name: str, window: Window, step: str, moment: dt.datetime, what: str = "mean"
) -> Series:
    """The series of what was sampled under a name, whoever has done that. ``what`` may also be
    *rate*: what was said in a minute altogether, on average."""
    return many([(name, window, step)], moment, what)[0]


def many(
    wanted: Sequence[tuple[str, Window, str]], moment: dt.datetime, what: str = "mean"
) -> list[Series]:
    """Several of these (name, window, step), in one query."""
    if what not in WHATS:
        raise ValueError(f"what={what!r}: choose one of {', '.join(map(repr, WHATS))}.")
    clock = Clock(site_zone())
    cuts = [cut(clock, window, step, moment) for _, window, step in wanted]
    chosen = Q(pk__in=[])
    for (name, _, _), steps in zip(wanted, cuts, strict=True):
        start, end = steps.interval
        chosen |= Q(gauge=name, minute__gte=start, minute__lt=end)
    columns = COLUMNS if what == "p95" else SUMS
    said: dict[str, list[_Minute]] = defaultdict(list)
    for name, *row in (
        Sample.objects.using(database()).filter(chosen).values_list("gauge", *columns)
    ):
        said[name].append(_Minute(*row))
    return [
        steps.series(steps.within((row.minute, row) for row in said[name]), WHATS[what])
        for (name, _, _), steps in zip(wanted, cuts, strict=True)
    ]


# What rows are worth; a range rules out what rounding and bins would add


def _count(rows: list[_Minute]) -> Number:
    return sum(row.count for row in rows) or None


def _rate(rows: list[_Minute]) -> Number:
    return _plain(math.fsum(row.total for row in rows) / len(rows)) if rows else None


def _low(rows: list[_Minute]) -> Number:
    return _plain(min(row.low for row in rows)) if rows else None


def _high(rows: list[_Minute]) -> Number:
    return _plain(max(row.high for row in rows)) if rows else None


def _mean(rows: list[_Minute]) -> Number:
    if not rows:
        return None
    return _between(rows, math.fsum(row.total for row in rows) / sum(row.count for row in rows))


def _p95(rows: list[_Minute]) -> Number:
    if not rows:
        return None
    # Of a month this is a million bins, so texts are made numbers when they are added up.
    whole: dict[str, int] = defaultdict(int)
    for row in rows:
        for number, count in row.histogram.items():
            whole[number] += count
    return _between(rows, quantile(_bins(whole), 0.95))


def _between(rows: list[_Minute], number: float) -> Number:
    low, high = min(row.low for row in rows), max(row.high for row in rows)
    return _plain(min(max(number, low), high))


def _plain(number: float) -> int | float:
    """Whole numbers are shown as such: columns have only floats."""
    return int(number) if number.is_integer() else number


WHATS: Mapping[str, Callable[[list[_Minute]], Number]] = {
    "mean": _mean,
    "low": _low,
    "high": _high,
    "p95": _p95,
    "count": _count,
    "rate": _rate,
}
