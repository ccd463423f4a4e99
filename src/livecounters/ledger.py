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
from livecounters.models import Bucket, Delta, Measured, Member
from livecounters.windows import DAY, QUARTER, Clock, Grain, Interval, Span, beyond, cover

__all__ = ["Ask", "Moment", "Tally", "read", "read_series", "settled"]

# A reading that had to add up more deltas than this folds them for the next one.
FOLD_ON_READ = 1_000

# Parts of one statement; SQLite allows 500 terms in a compound SELECT.
TERMS = 400

# Buckets of a minute are read for so long; the triggers write minutes for a day longer.
FINE_DAYS = 2


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


@dataclass(frozen=True)
class Ask:
    """A question: a measure, some of its scopes (``None``: all there are), an interval."""

    measure: Measure
    scopes: tuple[str, ...] | None
    interval: Interval
    coarsest: Grain = Grain.DAY

    @property
    def spans(self) -> list[Span]:
        return cover(self.interval, self.measure.clock, self.coarsest)


Sql = tuple[str, list[Any]]

# Labels, in the place of a question's number, the rows that name measures in force.
IN_FORCE = -1

# What each part of the statement selects.
COLUMNS = ("ask", "scope", "count", "total", "members", "low", "high", "pending")


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
        terms = 4 + len(asks[n].spans)
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
        terms += _kept(dialect, n, asks[n])
    in_force, pending = _answer(dialect, terms, asks, answers)
    if pending > FOLD_ON_READ:
        _fold_soon(dialect.using)
    rest = [n for n in some if asks[n].measure.key not in in_force]
    for n in rest:
        answers[n] = {}
    if rest:
        _answer(dialect, [_counted(dialect, n, asks[n]) for n in rest], asks, answers)


def _fold_soon(using: str) -> None:
    # A site without a pump folds when a reading had to add up too much; after the transaction
    # it is in, and without harm to it.
    transaction.on_commit(lambda: fold(using), using=using, robust=True)


def _answer(
    dialect: Dialect, terms: list[Sql], asks: Sequence[Ask], answers: list[dict[str, Tally]]
) -> tuple[set[str], int]:
    """Fill in answers; return the keys of the measures in force and the pending deltas read."""
    in_force: set[str] = set()
    waiting = 0
    sql = (
        "SELECT ask, scope, SUM(count), SUM(total), SUM(members), MIN(low), MAX(high), "
        f"SUM(pending) FROM ({_union(terms)}) t GROUP BY ask, scope"
    )
    params = [param for _, params in terms for param in params]
    for ask, scope, count, total, members, low, high, pending in _fetch(dialect, sql, params):
        waiting += int(pending)
        if ask == IN_FORCE:
            in_force.add(scope)
        else:
            low, high = (end if end is None else dialect.unordered(end) for end in (low, high))
            answers[ask][scope] = Tally(int(count), int(total), int(members), low, high)
    return in_force, waiting


def _union(terms: Iterable[Sql]) -> str:
    return " UNION ALL ".join(sql for sql, _ in terms)


def _fetch(dialect: Dialect, sql: str, params: list[Any]) -> list[Any]:
    with dialect.connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _term(source: str, ask: int | str, scope: str = "scope", **columns: str) -> str:
    """One part of the statement; what it does not say is nothing."""
    nothing = {"low": "NULL", "high": "NULL"}
    columns = {"ask": str(ask), "scope": scope, **columns}
    chosen = ", ".join(f"{columns.get(c, nothing.get(c, '0'))} AS {c}" for c in COLUMNS)
    return f"SELECT {chosen} FROM {source}"


def _in_force(dialect: Dialect, keys: Iterable[str]) -> Sql:
    wanted = sorted(keys)
    # What is above a floor can be repaired; what is below exists nowhere else.
    source = (
        f"{dialect.table(Measured)} WHERE measure IN ({_marks(wanted)}) "
        "AND (ready OR floor IS NOT NULL)"
    )
    return _term(source, IN_FORCE, "measure"), wanted


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _scoped(ask: Ask) -> Sql:
    """The measure and the scopes that are asked for."""
    if ask.scopes is None:
        return "measure = %s", [ask.measure.key]
    if len(ask.scopes) == 1:
        return "measure = %s AND scope = %s", [ask.measure.key, *ask.scopes]
    return f"measure = %s AND scope IN ({_marks(ask.scopes)})", [ask.measure.key, *ask.scopes]


def _during(interval: Interval) -> Sql:
    if interval.start is None or interval.end is None:
        return "", []
    return " AND at >= %s AND at < %s", [interval.start, interval.end]


def _kept(dialect: Dialect, n: int, ask: Ask) -> list[Sql]:
    """Buckets and pending deltas."""
    scoped, key = _scoped(ask)
    delta = dialect.table(Delta)
    if ask.measure.extremes:
        return [_extremes(dialect, n, ask), (_term(f"{delta} WHERE {scoped}", n, pending="1"), key)]
    terms: list[Sql] = [
        (
            _term(
                f"{dialect.table(Bucket)} WHERE {scoped} "
                "AND grain = %s AND start >= %s AND start < %s",
                n,
                count="count",
                total="total",
                members="members",
            ),
            [*key, int(span.grain), span.start, span.end],
        )
        for span in ask.spans
    ]
    if ask.measure.member is not None:
        pending = (_term(f"{delta} WHERE {scoped}", n, pending="1"), key)
        return [*terms, *_doubtful(dialect, n, ask), pending]
    during, bounds = _during(ask.interval)
    changes = _term(f"{delta} WHERE {scoped}{during}", n, count="count", total="total", pending="1")
    return [*terms, (changes, [*key, *bounds])]


# Members


def _doubtful(dialect: Dialect, n: int, ask: Ask) -> list[Sql]:
    """What the sums over buckets get wrong: members with pending deltas, and those that were
    last seen after the interval. Taken out as they were counted, put in as they are."""
    who, doubts = _doubts(dialect, ask)
    member = dialect.table(Member)
    scoped, key = _scoped(ask)
    latest = (
        f"SELECT scope, grain, member, MAX(start) AS start FROM {member} WHERE {scoped} "
        f"AND count > 0 AND (scope, member) IN ({who}) GROUP BY scope, grain, member"
    )
    within = " OR ".join("(grain = %s AND start >= %s AND start < %s)" for _ in ask.spans)
    spans = [int(value) for span in ask.spans for value in span]
    active, rows = _members(dialect, ask, f" AND (scope, member) IN ({who})", doubts)
    return [
        (
            _term(f"({latest}) l WHERE {within or 'false'}", n, members="-1"),
            [*key, *doubts, *spans],
        ),
        (_term(f"({active}) a", n, members="1"), rows),
    ]


def _doubts(dialect: Dialect, ask: Ask) -> Sql:
    """A SELECT of the (scope, member) that the buckets may be wrong about."""
    scoped, key = _scoped(ask)
    sql = f"SELECT scope, member FROM {dialect.table(Delta)} WHERE {scoped}"
    params = list(key)
    later = beyond(ask.interval, ask.measure.clock, ask.coarsest)
    if later is not None:
        after = f"{scoped} AND grain = %s AND start >= %s"
        bounds = [*key, int(later.grain), later.start]
        # Most often there is nobody after the interval, which the buckets know at once.
        sql += (
            f" UNION SELECT scope, member FROM {dialect.table(Member)} WHERE {after} AND count > 0 "
            f"AND EXISTS (SELECT 1 FROM {dialect.table(Bucket)} WHERE {after} AND members > 0)"
        )
        params += [*bounds, *bounds]
    return sql, params


def _members(dialect: Dialect, ask: Ask, only: str = "", params: Sequence[Any] = ()) -> Sql:
    """A SELECT of the (scope, member) that have rows in the interval."""
    scoped, key = _scoped(ask)
    during, bounds = _during(ask.interval)
    terms = [
        (
            (
                f"SELECT scope, member, count FROM {dialect.table(Member)} WHERE {scoped} "
                f"AND grain = %s AND start >= %s AND start < %s{only}"
            ),
            [*key, int(span.grain), span.start, span.end, *params],
        )
        for span in ask.spans
    ]
    # Whoever has a pending delta is doubtful, so these need no condition.
    pending = f"SELECT scope, member, count FROM {dialect.table(Delta)} WHERE {scoped}{during}"
    terms.append((pending, [*key, *bounds]))
    sql = f"SELECT scope, member FROM ({_union(terms)}) u GROUP BY scope, member HAVING SUM(count) > 0"
    return sql, [param for _, some in terms for param in some]


def _extremes(dialect: Dialect, n: int, ask: Ask) -> Sql:
    members, params = _members(dialect, ask)
    ends = (
        f"SELECT scope, MIN(member) AS low, MAX(member) AS high FROM ({members}) e GROUP BY scope"
    )
    return _term(f"({ends}) x", n, low="low", high="high"), params


# The source


def _counted(dialect: Dialect, n: int, ask: Ask) -> Sql:
    """The rows of the source itself."""
    rows = dialect.contribution(ask.measure, None).replace("%", "%%")
    during, bounds = _during(ask.interval)
    where = "true"
    scopes: list[Any] = []
    if ask.scopes is not None:
        where, scopes = f"scope IN ({_marks(ask.scopes)})", list(ask.scopes)
    found = f"SELECT scope, member, count, total FROM ({rows}) s WHERE {where}{during}"
    params = [*scopes, *bounds]
    if ask.measure.member is None:
        return _term(f"({found}) c", n, count="count", total="total"), params
    members = f"(SELECT scope, member FROM ({found}) c GROUP BY scope, member) m"
    if ask.measure.extremes:
        return _term(members, n, low="member", high="member"), params
    return _term(members, n, members="1"), params


# Series


@dataclass(frozen=True)
class Moment:
    """What happened to one member (a scaled number, of a measure of extremes) at one stamp."""

    stamp: int
    member: str | int
    count: int
    total: int


def read_series(ask: Ask) -> list[Moment]:
    """All that is known of a bounded interval, in buckets no larger than its coarsest, in one
    statement; several of one stamp add up."""
    measure = ask.measure
    dialect = dialect_of(measure.using)
    wanted = [measure.key]
    in_force = (
        f"SELECT NULL AS stamp, '' AS member, 0 AS count, 0 AS total "
        f"FROM {dialect.table(Measured)} WHERE measure = %s AND (ready OR floor IS NOT NULL)"
    )
    found = _moments(dialect, [(in_force, wanted), *_kept_moments(dialect, ask)])
    if not any(row[0] is None for row in found):
        rows = dialect.contribution(measure, None).replace("%", "%%")
        during, bounds = _during(ask.interval)
        where, scopes = "true", list(ask.scopes or ())
        if ask.scopes is not None:
            where = f"scope IN ({_marks(ask.scopes)})"
        counted = f"SELECT at AS stamp, member, count, total FROM ({rows}) s WHERE {where}{during}"
        found = _moments(dialect, [(counted, [*scopes, *bounds])])
    return [
        Moment(
            stamp,
            dialect.unordered(member) if measure.extremes else member,
            int(count),
            int(total),
        )
        for stamp, member, count, total in found
        if stamp is not None
    ]


def _kept_moments(dialect: Dialect, ask: Ask) -> list[Sql]:
    scoped, key = _scoped(ask)
    during, bounds = _during(ask.interval)
    model, columns = Bucket, "'' AS member, count, total"
    if ask.measure.member is not None:
        model, columns = Member, "member, count, 0 AS total"
    terms: list[Sql] = [
        (
            (
                f"SELECT start AS stamp, {columns} FROM {dialect.table(model)} "
                f"WHERE {scoped} AND grain = %s AND start >= %s AND start < %s"
            ),
            [*key, int(span.grain), span.start, span.end],
        )
        for span in ask.spans
    ]
    pending = (
        f"SELECT at AS stamp, member, count, total FROM {dialect.table(Delta)} "
        f"WHERE {scoped}{during}"
    )
    return [*terms, (pending, [*key, *bounds])]


def _moments(dialect: Dialect, terms: list[Sql]) -> list[Any]:
    return _fetch(dialect, _union(terms), [param for _, params in terms for param in params])


def settled(interval: Interval, now: dt.datetime, clock: Clock) -> Interval:
    """An interval of minutes that are past, widened to quarter hours: minutes are kept for a
    while only."""
    start, end = interval
    if start is None or end is None or start >= clock.stamp(now) - FINE_DAYS * DAY:
        return interval
    return Interval(start // QUARTER * QUARTER, -(-end // QUARTER) * QUARTER)
