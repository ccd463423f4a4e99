"""The numbers, read exactly.

A value is the sum of the buckets that cover its window and of the deltas that are not folded
yet, read in one statement and therefore in one snapshot: folding moves numbers from one to the
other and never changes the sum. The same statement reads which measures are in force; one that
is not (its triggers are not in place) is counted from its source.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from livecounters.dialects import Dialect, dialect_of
from livecounters.folding import fold
from livecounters.measures import Measure
from livecounters.models import Bucket, Delta, Measured
from livecounters.windows import DAY, QUARTER, Clock, Grain, Interval, cover

__all__ = ["Ask", "Moment", "Tally", "read", "read_series", "settled"]

# A reading that had to add up more deltas than this folds them for the next one.
FOLD_ON_READ = 1_000

# Parts of one statement; SQLite allows 500 terms in a compound SELECT.
TERMS = 400

# Buckets of a minute are read for so long; the triggers write minutes for a day longer.
FINE_DAYS = 2


@dataclass(frozen=True)
class Tally:
    """What was found for one scope: rows, the sum of their scaled values, distinct members."""

    count: int = 0
    total: int = 0
    members: int = 0


@dataclass(frozen=True)
class Ask:
    """A question: a measure, some of its scopes (``None``: all there are), an interval."""

    measure: Measure
    scopes: tuple[str, ...] | None
    interval: Interval
    coarsest: Grain = Grain.DAY


Sql = tuple[str, list[Any]]

# Labels, in the place of a question's number, the rows that name measures in force.
IN_FORCE = -1


def read(asks: Sequence[Ask]) -> list[dict[str, Tally]]:
    """Scope -> tally for each question; scopes of which nothing is known are left out.

    One statement per database and some hundred questions (two while a measure is not in force);
    each number is of one snapshot.
    """
    answers: list[dict[str, Tally]] = [{} for _ in asks]
    for using in dict.fromkeys(ask.measure.using for ask in asks):
        numbers = [n for n, ask in enumerate(asks) if ask.measure.using == using]
        dialect = dialect_of(using)
        for some in _portions(numbers, asks):
            _read_some(dialect, some, asks, answers)
    return answers


def _portions(numbers: list[int], asks: Sequence[Ask]) -> Iterator[list[int]]:
    """Questions that fit into one statement together; each is answered by one statement whole."""
    some: list[int] = []
    size = 1
    for n in numbers:
        ask = asks[n]
        terms = 1 + len(cover(ask.interval, ask.measure.clock, ask.coarsest))
        if some and size + terms > TERMS:
            yield some
            some, size = [], 1
        some.append(n)
        size += terms
    if some:
        yield some


def _read_some(
    dialect: Dialect, some: list[int], asks: Sequence[Ask], answers: list[dict[str, Tally]]
) -> None:
    terms = [_in_force(dialect, {asks[n].measure.key for n in some})]
    for n in some:
        terms += _kept(dialect, asks[n], str(n), str(n))
    in_force, pending = _answer(dialect, terms, answers)
    if pending > FOLD_ON_READ:
        _fold_soon(dialect.using)
    rest = [n for n in some if asks[n].measure.key not in in_force]
    for n in rest:
        answers[n] = {}
    if rest:
        _answer(dialect, [_counted(dialect, asks[n], str(n)) for n in rest], answers)


def _fold_soon(using: str) -> None:
    # A site without a pump folds when a reading had to add up too much; after the transaction
    # it is in, and without harm to it.
    transaction.on_commit(lambda: fold(using), using=using, robust=True)


def _answer(
    dialect: Dialect, terms: list[Sql], answers: list[dict[str, Tally]]
) -> tuple[set[str], int]:
    """Fill in answers; return the keys of the measures in force and the pending deltas read."""
    in_force: set[str] = set()
    waiting = 0
    union = " UNION ALL ".join(sql for sql, _ in terms)
    sql = (
        "SELECT ask, scope, SUM(count), SUM(total), "
        "SUM(CASE WHEN count > 0 THEN 1 ELSE 0 END), SUM(pending) "
        "FROM (SELECT ask, scope, member, SUM(count) AS count, SUM(total) AS total, "
        f"SUM(pending) AS pending FROM ({union}) t GROUP BY ask, scope, member) m "
        "GROUP BY ask, scope"
    )
    params = [param for _, params in terms for param in params]
    for ask, scope, count, total, members, pending in _fetch(dialect, sql, params):
        waiting += int(pending)
        if ask == IN_FORCE:
            in_force.add(scope)
        else:
            answers[ask][scope] = Tally(int(count), int(total), int(members))
    return in_force, waiting


def _fetch(dialect: Dialect, sql: str, params: list[Any]) -> list[Any]:
    with dialect.connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _in_force(dialect: Dialect, keys: Iterable[str]) -> Sql:
    wanted = sorted(keys)
    return (
        (
            f"SELECT {IN_FORCE} AS ask, key AS scope, '' AS member, 1 AS count, 0 AS total, 0 AS pending "
            f"FROM {dialect.table(Measured)} WHERE key IN ({_marks(wanted)})"
        ),
        wanted,
    )


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _scoped(ask: Ask) -> Sql:
    if ask.scopes is None:
        return "", []
    return f" AND scope IN ({_marks(ask.scopes)})", list(ask.scopes)


def _during(interval: Interval) -> Sql:
    if interval.start is None or interval.end is None:
        return "", []
    return " AND at >= %s AND at < %s", [interval.start, interval.end]


def _kept(dialect: Dialect, ask: Ask, of_bucket: str, of_delta: str) -> list[Sql]:
    """Buckets and pending deltas, each labelled in the first column."""
    scoped, scopes = _scoped(ask)
    terms: list[Sql] = [
        (
            (
                f"SELECT {of_bucket} AS ask, scope, member, count, total, 0 AS pending "
                f"FROM {dialect.table(Bucket)} WHERE measure = %s{scoped} "
                "AND grain = %s AND start >= %s AND start < %s"
            ),
            [ask.measure.key, *scopes, int(span.grain), span.start, span.end],
        )
        for span in cover(ask.interval, ask.measure.clock, ask.coarsest)
    ]
    during, bounds = _during(ask.interval)
    terms.append(
        (
            (
                f"SELECT {of_delta} AS ask, scope, member, count, total, 1 AS pending "
                f"FROM {dialect.table(Delta)} WHERE measure = %s{scoped}{during}"
            ),
            [ask.measure.key, *scopes, *bounds],
        )
    )
    return terms


def _counted(dialect: Dialect, ask: Ask, of_row: str) -> Sql:
    """The rows of the source itself."""
    rows = dialect.contribution(ask.measure, None).replace("%", "%%")
    scoped, scopes = _scoped(ask)
    during, bounds = _during(ask.interval)
    sql = (
        f"SELECT {of_row} AS ask, scope, member, count, total, 0 AS pending FROM ({rows}) s "
        f"WHERE true{scoped}{during}"
    )
    return sql, [*scopes, *bounds]


@dataclass(frozen=True)
class Moment:
    """What happened to one member at one stamp."""

    stamp: int
    member: str
    count: int
    total: int


def read_series(ask: Ask) -> list[Moment]:
    """All that is known of a bounded interval, in buckets no larger than its coarsest, in one
    statement; several of one stamp add up."""
    measure = ask.measure
    dialect = dialect_of(measure.using)
    terms = [_in_force(dialect, {measure.key}), *_kept(dialect, ask, "start", "at")]
    found = _union(dialect, terms)
    # Stamps are whole minutes: -1 is none.
    if not any(row[0] == IN_FORCE for row in found):
        found = _union(dialect, [_counted(dialect, ask, "at")])
    return [
        Moment(stamp, member, int(count), int(total))
        for stamp, _, member, count, total, _ in found
        if stamp != IN_FORCE
    ]


def _union(dialect: Dialect, terms: list[Sql]) -> list[Any]:
    sql = " UNION ALL ".join(sql for sql, _ in terms)
    return _fetch(dialect, sql, [param for _, params in terms for param in params])


def settled(interval: Interval, now: dt.datetime, clock: Clock) -> Interval:
    """An interval of minutes that are past, widened to quarter hours: minutes are kept for a
    while only."""
    start, end = interval
    if start is None or end is None or start >= clock.stamp(now) - FINE_DAYS * DAY:
        return interval
    return Interval(start // QUARTER * QUARTER, -(-end // QUARTER) * QUARTER)
