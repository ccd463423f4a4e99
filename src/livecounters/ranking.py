"""Ranking: whose numbers are the greatest; read off a ladder where there is one, else by adding
all of them up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livecounters import places
from livecounters.dialects import Dialect, dialect_of
from livecounters.ledger import fetch, tally_of
from livecounters.places import Place, numbered
from livecounters.summands import Ask, whole
from livecounters.worth import Number, Worth

__all__ = ["Place", "around", "first"]


def first(worth: Worth, ask: Ask, number: int, ascending: bool = False) -> list[Place]:
    """The first places, in one statement."""
    found = None if ascending else places.first(worth, ask, number)
    return _first(worth, ask, number, ascending) if found is None else found


def _first(worth: Worth, ask: Ask, number: int, ascending: bool) -> list[Place]:
    dialect = dialect_of(ask.measure.using)
    sql, params = _numbers(dialect, worth, ask)
    order = f"ORDER BY number {_order(ascending)}, scope LIMIT %s"
    rows = fetch(dialect, f"{sql} SELECT {COLUMNS} FROM numbers {order}", [*params, number])
    return numbered(_worth(dialect, worth, row) for row in rows)


def around(worth: Worth, ask: Ask, scope: str, near: int, ascending: bool = False) -> list[Place]:
    """The place of a scope and those up to ``near`` before and after it; nothing if it has no
    rows."""
    found = None if ascending else places.around(worth, ask, scope, near)
    return _around(worth, ask, scope, near, ascending) if found is None else found


def _around(worth: Worth, ask: Ask, scope: str, near: int, ascending: bool) -> list[Place]:
    dialect = dialect_of(ask.measure.using)
    sql, params = _numbers(dialect, worth, ask)
    order = f"ORDER BY number {_order(ascending)}"
    sql += (
        f", ranked AS (SELECT n.*, RANK() OVER ({order}) AS shared, DENSE_RANK() OVER ({order}) "
        f"AS dense, ROW_NUMBER() OVER ({order}, scope) AS place FROM numbers n), "
        "beside AS (SELECT r.*, MAX(CASE WHEN scope = %s THEN place END) OVER () AS mine "
        f"FROM ranked r) SELECT {COLUMNS}, shared, dense FROM beside "
        "WHERE place >= mine - %s AND place <= mine + %s ORDER BY place"
    )
    rows = fetch(dialect, sql, [*params, scope, near, near])
    return [Place(*_worth(dialect, worth, row[:-2]), *row[-2:]) for row in rows]


# What a tally is made from.
COLUMNS = "scope, count, total, members, low, high"


def _numbers(dialect: Dialect, worth: Worth, ask: Ask) -> tuple[str, list[Any]]:
    """WITH ``numbers``: all that are known."""
    kept, params = whole(ask)
    every = f"SELECT w.*, {worth.sql(dialect)} AS number FROM ({kept}) w"
    return f"WITH numbers AS (SELECT * FROM ({every}) e WHERE number IS NOT NULL)", params


def _order(ascending: bool) -> str:
    return "ASC" if ascending else "DESC"


def _worth(dialect: Dialect, worth: Worth, row: Sequence[Any]) -> tuple[str, Number]:
    scope, *sums = row
    return scope, worth.of(tally_of(dialect, *sums))
