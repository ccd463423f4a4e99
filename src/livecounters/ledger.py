"""The numbers, read exactly.

A value is the sum of the buckets that cover its window and of the deltas that are not folded
yet, read in one statement and therefore in one snapshot: folding moves numbers from one to the
other and never changes the sum. The same statement reads which measures are in force; one that
is not (its triggers are not in place) is counted from its source.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import models

from livecounters.dialects import Dialect, dialect_of
from livecounters.measures import Measure
from livecounters.models import Bucket, Delta, Measured, Member
from livecounters.retention import kept_since
from livecounters.summands import (
    IN_FORCE,
    MARKED,
    Ask,
    Sql,
    bounded,
    counted_term,
    in_force_term,
    kept_terms,
    marked_term,
    scoped_to,
    source_rows,
    union,
)
from livecounters.windows import QUARTER, Clock, Grain, Interval

__all__ = [
    "Item",
    "Itemized",
    "Moment",
    "Reading",
    "Tally",
    "fetch",
    "itemized",
    "read",
    "read_series",
    "settled",
    "tally_of",
]

# Whoever had to add up more deltas than this should fold them for the next one.
FOLD_ON_READ = 1_000

# Parts of one statement; SQLite allows 500 terms in a compound SELECT.
TERMS = 400


@dataclass(frozen=True)
class Tally:
    """What was found for one scope: rows, the sum of their scaled values, distinct members, and
    the least and greatest scaled value of a measure of extremes."""

    count: int = 0
    total: int = 0
    members: int = 0
    low: int | None = None
    high: int | None = None

    @property
    def empty(self) -> bool:
        return not (self.count or self.members or self.low is not None)


class Reading(NamedTuple):
    """Scope -> tally for each question; scopes of which nothing is known are left out.

    ``behind`` are the databases that should fold, ``marked`` those that may have to settle,
    ``paused`` the measures that pages are not told of.
    """

    answers: list[dict[str, Tally]]
    behind: set[str]
    marked: set[str]
    paused: set[str]


def read(asks: Sequence[Ask]) -> Reading:
    """The answers to questions.

    One statement per database and some hundred questions (two while a measure is not in force);
    each number is of one snapshot.
    """
    reading = Reading([{} for _ in asks], set(), set(), set())
    for using in dict.fromkeys(ask.measure.using for ask in asks):
        numbers = [n for n, ask in enumerate(asks) if ask.measure.using == using]
        dialect = dialect_of(using)
        for some in _portions(numbers, asks):
            _read_some(dialect, some, asks, reading)
    return reading


def paused(measures: Iterable[Measure]) -> set[str]:
    """Those of them that pages are not told of; one statement per database."""
    found: set[str] = set()
    keys: dict[str, set[str]] = defaultdict(set)
    for measure in measures:
        keys[measure.using].add(measure.key)
    for using, some in keys.items():
        rows = Measured.objects.using(using).filter(measure__in=some).exclude(paused_at=None)
        found |= set(rows.values_list("measure", flat=True))
    return found


def _portions(numbers: list[int], asks: Sequence[Ask]) -> Iterator[list[int]]:
    """Questions that fit into one statement together; each is answered by one statement whole."""
    some: list[int] = []
    size = 1
    for n in numbers:
        terms = 4 + 2 * len(asks[n].spans)
        if some and size + terms > TERMS:
            yield some
            some, size = [], 1
        some.append(n)
        size += terms
    if some:
        yield some


def _read_some(dialect: Dialect, some: list[int], asks: Sequence[Ask], reading: Reading) -> None:
    terms = [in_force_term(dialect, {asks[n].measure.key for n in some})]
    if not dialect.single_writer and any(asks[n].measure.joined for n in some):
        terms.append(marked_term(dialect))
    for n in some:
        terms += kept_terms(dialect, n, asks[n])
    in_force = _answer(dialect, terms, asks, reading)
    rest = [n for n in some if asks[n].measure.key not in in_force]
    for n in rest:
        reading.answers[n] = {}
    if rest:
        _answer(dialect, [counted_term(dialect, n, asks[n]) for n in rest], asks, reading)


def _answer(dialect: Dialect, terms: list[Sql], asks: Sequence[Ask], reading: Reading) -> set[str]:
    """Fill in a reading; return the keys of the measures in force."""
    in_force: set[str] = set()
    waiting = 0
    sql = (
        "SELECT ask, scope, SUM(count), SUM(total), SUM(members), MIN(low), MAX(high), "
        f"SUM(pending) FROM ({union(terms)}) t GROUP BY ask, scope"
    )
    params = [param for _, params in terms for param in params]
    for ask, scope, count, total, members, low, high, pending in fetch(dialect, sql, params):
        if ask == IN_FORCE:
            in_force.add(scope)
            if pending:
                reading.paused.add(scope)
        elif ask == MARKED:
            reading.marked.add(dialect.using)
        else:
            waiting += int(pending)
            tally = tally_of(dialect, count, total, members, low, high)
            reading.answers[ask][scope] = tally
    if waiting > FOLD_ON_READ:
        reading.behind.add(dialect.using)
    return in_force


def tally_of(dialect: Dialect, count: Any, total: Any, members: Any, low: Any, high: Any) -> Tally:
    """The sums of a statement, as drivers give them; those of no rows are NULL."""
    low, high = (end if end is None else dialect.unordered(end) for end in (low, high))
    return Tally(int(count or 0), int(total or 0), int(members or 0), low, high)


def fetch(dialect: Dialect, sql: str, params: list[Any]) -> list[Any]:
    with dialect.connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


# The account


@dataclass(frozen=True)
class Item:
    """A part of a sum: how many rows it was read from, and what they add up to."""

    rows: int
    tally: Tally


@dataclass(frozen=True)
class Itemized:
    """All that one number is made of, in one snapshot; ``spans`` are parallel to the question's.

    Of members ``corrected`` is what ``spans`` get wrong about those who have pending deltas or
    were seen after the interval; of a measure of extremes it is the whole answer.
    """

    in_force: bool
    spans: list[Item]
    corrected: Item
    pending: Item
    source: Item


def itemized(ask: Ask) -> Itemized:
    """What :func:`read` adds up for one scope, part by part, and the source beside it."""
    dialect = dialect_of(ask.measure.using)
    kept = kept_terms(dialect, 0, ask)
    spans = 0 if ask.measure.extremes else len(ask.spans)
    parts = [*kept, in_force_term(dialect, [ask.measure.key]), counted_term(dialect, 0, ask)]
    terms = [
        (
            (
                f"SELECT {n} AS part, COUNT(*), SUM(count), SUM(total), SUM(members), MIN(low), "
                f"MAX(high) FROM ({sql}) i"
            ),
            params,
        )
        for n, (sql, params) in enumerate(parts)
    ]
    params = [param for _, some in terms for param in some]
    found = [_item(dialect, row) for row in sorted(fetch(dialect, union(terms), params))]
    *sums, in_force, source = found
    return Itemized(bool(in_force.rows), sums[:spans], _both(sums[spans:-1]), sums[-1], source)


def _item(dialect: Dialect, row: Sequence[Any]) -> Item:
    _, rows, *sums = row
    return Item(int(rows), tally_of(dialect, *sums))


def _both(items: Sequence[Item]) -> Item:
    """Who was taken out and who was put in, as one."""
    low, high = (
        next((getattr(item.tally, end) for item in items), None) for end in ("low", "high")
    )
    members = sum(item.tally.members for item in items)
    return Item(sum(item.rows for item in items), Tally(members=members, low=low, high=high))


# Series


@dataclass(frozen=True)
class Moment:
    """What happened to one member (a scaled number, of a measure of extremes) at one stamp."""

    stamp: int
    member: str | int
    count: int
    total: int


def read_series(asks: Sequence[Ask]) -> list[list[Moment]]:
    """All that is known of bounded intervals, each in buckets no larger than its coarsest; several
    of one stamp add up. As many statements as :func:`read` takes."""
    found: list[list[Moment]] = [[] for _ in asks]
    for using in dict.fromkeys(ask.measure.using for ask in asks):
        numbers = [n for n, ask in enumerate(asks) if ask.measure.using == using]
        dialect = dialect_of(using)
        for some in _portions(numbers, asks):
            terms = [term for n in some for term in _kept_moments(dialect, n, asks[n])]
            in_force = _moments(dialect, terms, asks, found)
            rest = [n for n in some if n not in in_force]
            for n in rest:
                found[n] = []
            if rest:
                terms = [_counted_moments(dialect, n, asks[n]) for n in rest]
                _moments(dialect, terms, asks, found)
    return found


def _moments(
    dialect: Dialect, terms: list[Sql], asks: Sequence[Ask], found: list[list[Moment]]
) -> set[int]:
    """Fill in what is found; return the questions whose measures are in force."""
    in_force: set[int] = set()
    params = [param for _, some in terms for param in some]
    for ask, stamp, member, count, total in fetch(dialect, union(terms), params):
        if stamp is None:
            in_force.add(ask)
            continue
        if asks[ask].measure.extremes:
            member = dialect.unordered(member)
        found[ask].append(Moment(stamp, member, int(count), int(total)))
    return in_force


def _counted_moments(dialect: Dialect, n: int, ask: Ask) -> Sql:
    rows, params = source_rows(dialect, ask)
    return f"SELECT {n} AS ask, at AS stamp, member, count, total FROM ({rows}) c", params


def _kept_moments(dialect: Dialect, n: int, ask: Ask) -> list[Sql]:
    scoped, key = scoped_to(ask)
    during, bounds = bounded(ask.interval)
    model: type[models.Model] = Bucket
    columns = "'' AS member, count, total"
    in_force = (
        f"SELECT {n} AS ask, NULL AS stamp, '' AS member, 0 AS count, 0 AS total "
        f"FROM {dialect.table(Measured)} WHERE measure = %s AND (ready OR floor IS NOT NULL)"
    )
    if ask.measure.member is not None:
        model, columns = Member, "member, count, 0 AS total"
    terms: list[Sql] = [
        (
            (
                f"SELECT {n} AS ask, start AS stamp, {columns} FROM {dialect.table(model)} "
                f"WHERE {scoped} AND grain = %s AND start >= %s AND start < %s"
            ),
            [*key, int(span.grain), span.start, span.end],
        )
        for span in ask.spans
    ]
    pending = (
        f"SELECT {n} AS ask, at AS stamp, member, count, total FROM {dialect.table(Delta)} "
        f"WHERE {scoped}{during}"
    )
    return [(in_force, [ask.measure.key]), *terms, (pending, [*key, *bounds])]


def settled(interval: Interval, now: dt.datetime, measure: Measure) -> Interval:
    """An interval widened to what is still kept of it: an end that lies long past to the quarter
    hour, and longer past to the whole day."""
    start, end = interval
    if start is None or end is None:
        return interval
    clock = measure.clock
    # The end is reached by small buckets from its midnight on, or from the start.
    since = max(start, clock.day_start(end))
    return Interval(
        _widened(start, _finest(start, now, measure), clock, 0),
        _widened(end, _finest(since, now, measure), clock, 1),
    )


def _finest(since: int, now: dt.datetime, measure: Measure) -> Grain:
    """The smallest buckets that are kept from a stamp on."""
    if since // QUARTER * QUARTER < kept_since(measure, Grain.QUARTER, now):
        return Grain.DAY
    return Grain.MINUTE if since >= kept_since(measure, Grain.MINUTE, now) else Grain.QUARTER


def _widened(stamp: int, grain: Grain, clock: Clock, up: int) -> int:
    """Down to the start of a bucket, or up to its end."""
    if grain is Grain.MINUTE:
        return stamp
    if grain is Grain.QUARTER:
        return -(-stamp // QUARTER) * QUARTER if up else stamp // QUARTER * QUARTER
    midnight = clock.day_start(stamp)
    return (
        clock.midnight(clock.day(stamp) + dt.timedelta(days=up)) if midnight < stamp else midnight
    )
