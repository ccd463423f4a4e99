"""Summands: the SQL of the parts that a number is the sum of.

A value is the sum of the buckets that cover its window and of the deltas that are not folded
yet. A measure that is not in force (its triggers are not in place) is counted from its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from livecounters.dialects import Dialect, dialect_of
from livecounters.measures import Measure
from livecounters.models import Bucket, Delta, Mark, Measured, Member
from livecounters.windows import Grain, Interval, Span, beyond, cover

__all__ = [
    "IN_FORCE",
    "MARKED",
    "Ask",
    "Sql",
    "bounded",
    "counted_term",
    "in_force_term",
    "kept_terms",
    "marked_term",
    "scoped_to",
    "single",
    "source_rows",
    "union",
    "whole",
]


Sql = tuple[str, list[Any]]


@dataclass(frozen=True)
class Ask:
    """A question: a measure, some of its scopes (``None``: all there are), an interval.

    ``within``: only scopes that begin so. ``outer``: only the scope that this expression of an
    outer query says. ``past``: much has happened since, so members are counted one by one and not
    corrected for those seen later; it makes no difference to the answer.
    """

    measure: Measure
    scopes: tuple[str, ...] | None
    interval: Interval
    coarsest: Grain = Grain.DAY
    past: bool = False
    within: str = ""
    outer: Sql | None = None

    @property
    def spans(self) -> list[Span]:
        return cover(self.interval, self.measure.clock, self.coarsest)


# Labels, in the place of a question's number, the rows that name measures in force, and the row
# that is there if changes wait to be settled.
IN_FORCE = -1
MARKED = -2

# What each part of the statement selects.
COLUMNS = ("ask", "scope", "count", "total", "members", "low", "high", "pending")


def union(terms: Iterable[Sql]) -> str:
    return " UNION ALL ".join(sql for sql, _ in terms)


def _term(source: str, ask: int | str, scope: str = "scope", **columns: str) -> str:
    """One part of the statement; what it does not say is nothing."""
    nothing = {"low": "NULL", "high": "NULL"}
    columns = {"ask": str(ask), "scope": scope, **columns}
    chosen = ", ".join(f"{columns.get(c, nothing.get(c, '0'))} AS {c}" for c in COLUMNS)
    return f"SELECT {chosen} FROM {source}"


def in_force_term(dialect: Dialect, keys: Iterable[str]) -> Sql:
    """The measures that are in force; something is pending of those that are paused."""
    wanted = sorted(keys)
    # What is above a floor can be repaired; what is below exists nowhere else.
    source = (
        f"{dialect.table(Measured)} WHERE measure IN ({_places(wanted)}) "
        "AND (ready OR floor IS NOT NULL)"
    )
    paused = "CASE WHEN paused_at IS NULL THEN 0 ELSE 1 END"
    return _term(source, IN_FORCE, "measure", pending=paused), wanted


def marked_term(dialect: Dialect) -> Sql:
    return _term(f"(SELECT 1 FROM {dialect.table(Mark)} LIMIT 1) m", MARKED, "''"), []


def _places(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def scoped_to(ask: Ask) -> Sql:
    """The measure and the scopes that are asked for."""
    if ask.outer is not None:
        return f"measure = %s AND scope = {ask.outer[0]}", [ask.measure.key, *ask.outer[1]]
    if ask.scopes is None and ask.within:
        # All texts that begin so, by the index: up to the next sign.
        end = ask.within[:-1] + chr(ord(ask.within[-1]) + 1)
        return "measure = %s AND scope >= %s AND scope < %s", [ask.measure.key, ask.within, end]
    if ask.scopes is None:
        return "measure = %s", [ask.measure.key]
    if len(ask.scopes) == 1:
        return "measure = %s AND scope = %s", [ask.measure.key, *ask.scopes]
    return f"measure = %s AND scope IN ({_places(ask.scopes)})", [ask.measure.key, *ask.scopes]


def bounded(interval: Interval) -> Sql:
    if interval.start is None or interval.end is None:
        return "", []
    return " AND at >= %s AND at < %s", [interval.start, interval.end]


def kept_terms(dialect: Dialect, n: int, ask: Ask) -> list[Sql]:
    """Buckets and pending deltas."""
    scoped, key = scoped_to(ask)
    delta = dialect.table(Delta)
    if ask.measure.extremes:
        return [_extremes(dialect, n, ask), (_term(f"{delta} WHERE {scoped}", n, pending="1"), key)]
    if ask.measure.member is not None and ask.past:
        active, params = _members(dialect, ask)
        return [(_term(f"({active}) a", n, members="1"), params)]
    columns = {"count": "count", "total": "total"}
    if ask.measure.member is not None:
        columns["members"] = "members"
    terms = [(_term(source, n, **columns), params) for source, params in _buckets(dialect, ask)]
    if ask.measure.member is not None:
        pending = (_term(f"{delta} WHERE {scoped}", n, pending="1"), key)
        return [*terms, *_doubtful(dialect, n, ask), pending]
    source, params = _pending(dialect, ask)
    return [*terms, (_term(source, n, **columns, pending="1"), params)]


def _buckets(dialect: Dialect, ask: Ask) -> list[Sql]:
    """FROM and WHERE of the buckets of each span."""
    scoped, key = scoped_to(ask)
    source = f"{dialect.table(Bucket)} WHERE {scoped} AND grain = %s AND start >= %s AND start < %s"
    return [(source, [*key, int(span.grain), span.start, span.end]) for span in ask.spans]


def _pending(dialect: Dialect, ask: Ask) -> Sql:
    """FROM and WHERE of the pending deltas."""
    scoped, key = scoped_to(ask)
    during, bounds = bounded(ask.interval)
    return f"{dialect.table(Delta)} WHERE {scoped}{during}", [*key, *bounds]


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
        scoped, key = scoped_to(ask)
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
    scoped, key = scoped_to(ask)
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
    scoped, key = scoped_to(ask)
    during, bounds = bounded(ask.interval)
    terms: list[Sql] = []
    for span in ask.spans:
        source, params = _rows_of(dialect, ask, span.grain, doubts)
        rows = f"SELECT m.scope, m.member, m.count FROM {source} AND m.start >= %s AND m.start < %s"
        terms.append((rows, [*params, span.start, span.end]))
    # Whoever has a pending delta is in doubt.
    pending = f"SELECT scope, member, count FROM {dialect.table(Delta)} WHERE {scoped}{during}"
    terms.append((pending, [*key, *bounds]))
    sql = (
        f"SELECT scope, member FROM ({union(terms)}) u GROUP BY scope, member HAVING SUM(count) > 0"
    )
    return sql, [param for _, some in terms for param in some]


def _extremes(dialect: Dialect, n: int, ask: Ask) -> Sql:
    members, params = _members(dialect, ask)
    ends = (
        f"SELECT scope, MIN(member) AS low, MAX(member) AS high FROM ({members}) e GROUP BY scope"
    )
    return _term(f"({ends}) x", n, low="low", high="high"), params


# The source


def _source(dialect: Dialect, ask: Ask) -> Sql:
    """FROM and WHERE of the rows of the source."""
    rows = dialect.contribution(ask.measure, None).replace("%", "%%")
    during, bounds = bounded(ask.interval)
    where = "true"
    scopes: list[Any] = []
    if ask.outer is not None:
        where, scopes = f"scope = {ask.outer[0]}", ask.outer[1]
    elif ask.scopes is not None:
        where, scopes = f"scope IN ({_places(ask.scopes)})", list(ask.scopes)
    elif ask.within:
        where, scopes = "SUBSTR(scope, 1, %s) = %s", [len(ask.within), ask.within]
    return f"({rows}) s WHERE {where}{during}", [*scopes, *bounds]


def source_rows(dialect: Dialect, ask: Ask) -> Sql:
    """A SELECT of (scope, member, at, count, total) of the rows of the source."""
    source, params = _source(dialect, ask)
    return f"SELECT scope, member, at, count, total FROM {source}", params


def counted_term(dialect: Dialect, n: int, ask: Ask) -> Sql:
    """The rows of the source itself."""
    found, params = source_rows(dialect, ask)
    scope = dialect.exact("scope")
    if ask.measure.member is None:
        return _term(f"({found}) c", n, scope, count="count", total="total"), params
    members = f"(SELECT scope, member FROM ({found}) c GROUP BY scope, member) m"
    if ask.measure.extremes:
        return _term(members, n, scope, low="member", high="member"), params
    return _term(members, n, scope, members="1"), params


def whole(ask: Ask) -> Sql:
    """A SELECT of (scope, count, total, members, low, high): all that is asked for in one
    statement, be the measure in force or not. Scopes without any row are left out."""
    dialect = dialect_of(ask.measure.using)
    kept, source = kept_terms(dialect, 0, ask), counted_term(dialect, 0, ask)
    in_force, key = in_force_term(dialect, [ask.measure.key])
    sql = (
        "SELECT scope, SUM(count) AS count, SUM(total) AS total, SUM(members) AS members, "
        "MIN(low) AS low, MAX(high) AS high FROM ("
        f"SELECT * FROM ({union(kept)}) k WHERE EXISTS ({in_force}) "
        f"UNION ALL SELECT * FROM ({source[0]}) c WHERE NOT EXISTS ({in_force})"
        ") w GROUP BY scope HAVING SUM(count) <> 0 OR SUM(members) <> 0 OR MIN(low) IS NOT NULL"
    )
    return sql, [*(param for _, params in kept for param in params), *key, *source[1], *key]


def single(ask: Ask) -> dict[str, Sql]:
    """The count and the total of one scope of a measure without members, each an expression of
    subqueries that hold nothing but a table: what every database can ask for each row."""
    dialect = dialect_of(ask.measure.using)
    kept = [*_buckets(dialect, ask), _pending(dialect, ask)]
    source = _source(dialect, ask)
    in_force, key = in_force_term(dialect, [ask.measure.key])
    found = {}
    for column in ("count", "total"):
        sums = " + ".join(f"COALESCE((SELECT SUM({column}) FROM {sql}), 0)" for sql, _ in kept)
        counted = f"COALESCE((SELECT SUM({column}) FROM {source[0]}), 0)"
        found[column] = (
            f"(CASE WHEN EXISTS ({in_force}) THEN {sums} ELSE {counted} END)",
            [*key, *(param for _, params in kept for param in params), *source[1]],
        )
    return found
