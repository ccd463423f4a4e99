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

from django.db import models, transaction

from livecounters.dialects import Dialect, dialect_of
from livecounters.folding import fold
from livecounters.measures import Measure
from livecounters.models import Bucket, Delta, Measured, Member
from livecounters.retention import kept_since
from livecounters.windows import QUARTER, Clock, Grain, Interval, Span, beyond, cover

__all__ = [
    "Ask",
    "Item",
    "Itemized",
    "Moment",
    "Tally",
    "itemized",
    "read",
    "read_series",
    "settled",
]

# A reading that had to add up more deltas than this folds them for the next one.
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


@dataclass(frozen=True)
class Ask:
    """A question: a measure, some of its scopes (``None``: all there are), an interval.

    ``past``: much has happened since, so members are counted one by one and not corrected for
    those seen later; it makes no difference to the answer.
    """

    measure: Measure
    scopes: tuple[str, ...] | None
    interval: Interval
    coarsest: Grain = Grain.DAY
    past: bool = False

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
        terms = 4 + 2 * len(asks[n].spans)
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
    if ask.measure.member is not None and ask.past:
        active, params = _members(dialect, ask)
        return [(_term(f"({active}) a", n, members="1"), params)]
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
    doubts = _doubts(dialect, ask)
    terms: list[Sql] = []
    for span in ask.spans:
        source, params = _rows_of(dialect, ask, span.grain, doubts)
        counted = (
            f"SELECT m.scope, m.member FROM {source} AND m.count > 0 GROUP BY m.scope, m.member "
            "HAVING MAX(m.start) >= %s AND MAX(m.start) < %s"
        )
        terms.append((_term(f"({counted}) l", n, members="-1"), [*params, span.start, span.end]))
    active, params = _members(dialect, ask, doubts)
    return [*terms, (_term(f"({active}) a", n, members="1"), params)]


def _rows_of(dialect: Dialect, ask: Ask, grain: Grain, doubts: Sql | None) -> Sql:
    """FROM and WHERE of the members' rows (m) of one grain; of those in doubt only, if given."""
    member = dialect.table(Member)
    if doubts is None:
        scoped, key = _scoped(ask)
        return f"{member} m WHERE {scoped} AND m.grain = %s", [*key, int(grain)]
    who, params = doubts
    # The few in doubt first: SQLite takes a cross join in the order it is written.
    source = (
        f"({who}) d CROSS JOIN {member} m WHERE m.measure = %s AND m.scope = d.scope "
        "AND m.grain = %s AND m.member = d.member"
    )
    return source, [*params, ask.measure.key, int(grain)]


def _doubts(dialect: Dialect, ask: Ask) -> Sql:
    """A SELECT of the (scope, member) that the buckets may be wrong about."""
    scoped, key = _scoped(ask)
    sql = f"SELECT DISTINCT scope, member FROM {dialect.table(Delta)} WHERE {scoped}"
    params = list(key)
    later = beyond(ask.interval, ask.measure.clock, ask.coarsest)
    if later is not None:
        bounds = [*key, int(later.grain), later.start]
        # Most often there is nobody after the interval, which the buckets know at once.
        sql += (
            " UNION SELECT m.scope, m.member FROM ("
            f"SELECT DISTINCT scope FROM {dialect.table(Bucket)} "
            f"WHERE {scoped} AND grain = %s AND start >= %s AND members > 0"
            f") b CROSS JOIN {dialect.table(Member)} m WHERE m.measure = %s "
            "AND m.scope = b.scope AND m.grain = %s AND m.start >= %s AND m.count > 0"
        )
        params += [*bounds, ask.measure.key, int(later.grain), later.start]
    return sql, params


def _members(dialect: Dialect, ask: Ask, doubts: Sql | None = None) -> Sql:
    """A SELECT of the (scope, member) that have rows in the interval."""
    scoped, key = _scoped(ask)
    during, bounds = _during(ask.interval)
    terms: list[Sql] = []
    for span in ask.spans:
        source, params = _rows_of(dialect, ask, span.grain, doubts)
        rows = f"SELECT m.scope, m.member, m.count FROM {source} AND m.start >= %s AND m.start < %s"
        terms.append((rows, [*params, span.start, span.end]))
    # Whoever has a pending delta is in doubt.
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
    kept = _kept(dialect, 0, ask)
    spans = 0 if ask.measure.extremes else len(ask.spans)
    parts = [*kept, _in_force(dialect, [ask.measure.key]), _counted(dialect, 0, ask)]
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
    found = [_item(dialect, row) for row in sorted(_fetch(dialect, _union(terms), params))]
    *sums, in_force, source = found
    return Itemized(bool(in_force.rows), sums[:spans], _both(sums[spans:-1]), sums[-1], source)


def _item(dialect: Dialect, row: Sequence[Any]) -> Item:
    _, rows, count, total, members, low, high = row
    low, high = (end if end is None else dialect.unordered(end) for end in (low, high))
    return Item(int(rows), Tally(int(count or 0), int(total or 0), int(members or 0), low, high))


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
    model: type[models.Model] = Bucket
    columns = "'' AS member, count, total"
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
