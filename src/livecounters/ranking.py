"""Ranking: whose numbers are the greatest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livecounters.dialects import Dialect, dialect_of
from livecounters.ledger import Tally
from livecounters.summands import Ask, whole
from livecounters.worth import Number, Worth

__all__ = ["Place", "around", "first"]


class Place(tuple[str, Number]):
    """``(scope, value)`` in an order, greatest first; equal values by their scopes.

    ``rank``: 1, 2, 2, 4; ``dense_rank``: 1, 2, 2, 3. Equal values share theirs.
    """

    rank: int
    dense_rank: int

    def __new__(cls, scope: str, value: Number, rank: int, dense_rank: int) -> Place:
        place = super().__new__(cls, (scope, value))
        place.rank, place.dense_rank = rank, dense_rank
        return place

    @property
    def scope(self) -> str:
        return self[0]

    @property
    def value(self) -> Number:
        return self[1]


def first(worth: Worth, ask: Ask, number: int, ascending: bool = False) -> list[Place]:
    """The first places, in one statement."""
    dialect = dialect_of(ask.measure.using)
    sql, params = _ranked(dialect, worth, ask, ascending)
    return _places(dialect, worth, f"{sql} WHERE place <= %s", [*params, number])


def around(worth: Worth, ask: Ask, scope: str, near: int, ascending: bool = False) -> list[Place]:
    """The place of a scope and those up to ``near`` before and after it, in one statement;
    nothing if it has no rows."""
    dialect = dialect_of(ask.measure.using)
    sql, params = _ranked(dialect, worth, ask, ascending)
    mine = "(SELECT place FROM ranked WHERE scope = %s)"
    where = f"WHERE place BETWEEN {mine} - %s AND {mine} + %s"
    return _places(dialect, worth, f"{sql} {where}", [*params, scope, near, scope, near])


def _ranked(dialect: Dialect, worth: Worth, ask: Ask, ascending: bool) -> tuple[str, list[Any]]:
    kept, params = whole(ask)
    order = "ASC" if ascending else "DESC"
    sql = (
        f"WITH numbers AS (SELECT w.*, {worth.sql(dialect)} AS number FROM ({kept}) w), ranked AS ("
        f"SELECT n.*, RANK() OVER (ORDER BY number {order}) AS shared, "
        f"DENSE_RANK() OVER (ORDER BY number {order}) AS dense, "
        f"ROW_NUMBER() OVER (ORDER BY number {order}, scope) AS place "
        "FROM numbers n WHERE number IS NOT NULL) "
        "SELECT scope, count, total, members, low, high, shared, dense FROM ranked"
    )
    return sql, params


def _places(dialect: Dialect, worth: Worth, sql: str, params: Sequence[Any]) -> list[Place]:
    with dialect.connection.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY place", params)
        found = cursor.fetchall()
    places = []
    for scope, count, total, members, low, high, rank, dense in found:
        low, high = (end if end is None else dialect.unordered(end) for end in (low, high))
        tally = Tally(int(count), int(total), int(members), low, high)
        places.append(Place(scope, worth.of(tally), rank, dense))
    return places
