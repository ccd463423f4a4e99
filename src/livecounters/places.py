"""Places: where somebody stands, read off a ladder.

What is pending is taken out where it was and put in where it is, so that a place is exact at any
moment. Each reading that counts is one statement and therefore of one snapshot; it says itself
whether the ladder is whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction

from livecounters.conf import options
from livecounters.declarations import Count, Sum
from livecounters.dialects import Dialect, dialect_of
from livecounters.folding import fold
from livecounters.ladders import BITS, LEVELS, Span, ranked, span_of
from livecounters.ledger import FOLD_ON_READ, Tally, fetch
from livecounters.models import Delta, Ladder, Rung, Score
from livecounters.summands import Ask, Sql, bounded, in_force_term, union
from livecounters.worth import Number, Worth

__all__ = ["Place", "around", "first", "numbered"]

# Times that a number is read again which changed meanwhile.
LOOKS = 5

WHOLE, BETTER, NEAR, OWN = range(4)


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


def first(worth: Worth, ask: Ask, number: int) -> list[Place] | None:
    """The first places; ``None`` if there is no whole ladder of these numbers."""
    order = _Order.of(worth, ask)
    if order is None:
        return None
    found = order.first(number)
    if found is None:
        return None
    return numbered((scope, order.value(value)) for scope, value in found)


def numbered(lines: Iterable[tuple[str, Number]]) -> list[Place]:
    """The places of all from the first on."""
    places: list[Place] = []
    for n, (scope, value) in enumerate(lines):
        last = places[-1] if places else None
        if last is not None and last.value == value:
            places.append(Place(scope, value, last.rank, last.dense_rank))
        else:
            places.append(Place(scope, value, n + 1, last.dense_rank + 1 if last else 1))
    return places


def around(worth: Worth, ask: Ask, scope: str, near: int) -> list[Place] | None:
    """The place of a scope and those up to ``near`` before and after it, nothing if it has no
    rows; ``None`` if there is no whole ladder of these numbers."""
    order = _Order.of(worth, ask)
    for _ in range(LOOKS if order is not None else 0):
        assert order is not None
        own = order.own(scope)
        if own is None or not own[0]:
            return None if own is None else []
        found = order.around(scope, own, near)
        if found is not None:
            return found
    return None


@dataclass(frozen=True)
class _Order:
    """The order of one measure's numbers in one span."""

    worth: Worth
    ask: Ask
    span: Span
    start: int

    @classmethod
    def of(cls, worth: Worth, ask: Ask) -> _Order | None:
        measure = worth.measure
        if not isinstance(worth.declared, (Count, Sum)) or not ranked(measure) or ask.within:
            return None
        found = span_of(ask.interval, measure.clock)
        return None if found is None else cls(worth, ask, *found)

    @property
    def dialect(self) -> Dialect:
        return dialect_of(self.worth.measure.using)

    def value(self, number: int) -> Number:
        """What a number is worth."""
        counted = self.worth.measure.value is None
        return self.worth.of(Tally(count=number) if counted else Tally(total=number))

    # Reading

    def own(self, scope: str) -> tuple[int, int] | None:
        """The count and the number of a scope; ``None`` without a whole ladder."""
        whole, score = self._whole(), self._score("s", "s.scope = %s")
        pending, params = self._pending("scope = %s", [scope])
        sql = (
            f"{whole[0]} UNION ALL SELECT {OWN}, s.count, s.number FROM {score[0]} "
            f"UNION ALL SELECT {OWN}, p.count, p.number FROM ({pending}) p"
        )
        found = fetch(self.dialect, sql, [*whole[1], *score[1], scope, *params])
        if not self._is_whole(found):
            return None
        rows = [row for row in found if row[0] == OWN]
        return sum(int(row[1]) for row in rows), sum(int(row[2]) for row in rows)

    def first(self, number: int) -> list[tuple[str, int]] | None:
        terms = [self._whole("''"), *self._best("", [], "number DESC, scope", number)]
        rows = self._fetch(terms)
        if not self._is_whole(rows):
            return None
        found = [(row[1], int(row[2])) for row in rows if row[0] == NEAR]
        return sorted(found, key=_place)[:number]

    def around(self, scope: str, own: tuple[int, int], near: int) -> list[Place] | None:
        """``None`` if it changed meanwhile."""
        number = own[1]
        terms = [self._whole("''"), *self._better(number), self._own_now(scope)]
        if near:
            for sign, order in ((">", "number, scope DESC"), ("<", "number DESC, scope")):
                tied = "<" if sign == ">" else ">"
                terms += self._best(
                    f"number = %s AND scope {tied} %s", [number, scope], order, near
                )
                terms += self._best(f"number {sign} %s", [number], order, near)
        rows = self._fetch(terms)
        parts: dict[int, list[Any]] = {part: [] for part in (WHOLE, BETTER, NEAR, OWN)}
        for part, *row in rows:
            parts[part].append(row)
        ((_, alike, now),) = parts[OWN]
        if not parts[WHOLE] or now is None or int(now) != number:
            return None
        rank = 1 + sum(int(row[1]) for row in parts[BETTER])
        dense = 1 + sum(int(row[2]) for row in parts[BETTER])
        own_place = Place(scope, self.value(number), rank, dense)
        alike_of = {int(row[1]): int(row[2]) for row in parts[NEAR]} | {number: int(alike)}
        lines = sorted({(row[0], int(row[1])) for row in parts[NEAR]}, key=_place)
        mine = _place((scope, number))
        ahead = [one for one in lines if _place(one) < mine][::-1][:near]
        behind = [one for one in lines if _place(one) > mine][:near]
        return [
            *self._ranked(ahead, own_place, number, alike_of, -1)[::-1],
            own_place,
            *self._ranked(behind, own_place, number, alike_of, 1),
        ]

    def _ranked(
        self,
        lines: Iterable[tuple[str, int]],
        last: Place,
        number: int,
        alike: dict[int, int],
        step: int,
    ) -> list[Place]:
        """The places of those beside somebody, from there on up (-1) or down (1)."""
        rank, dense, found = last.rank, last.dense_rank, []
        for scope, other in lines:
            if other != number:
                # As many as have the number of those who come first of the two.
                rank += step * alike[number if step > 0 else other]
                dense, number = dense + step, other
            found.append(Place(scope, self.value(other), rank, dense))
        return found

    def _fetch(self, terms: list[Sql]) -> list[Any]:
        common, params = self._common()
        values = [value for _, some in terms for value in some]
        return fetch(self.dialect, f"{common} {union(terms)}", [*params, *values])

    # SQL

    def _at(self, table: str) -> Sql:
        return (
            f"{table}.measure = %s AND {table}.span = %s AND {table}.start = %s",
            [self.worth.measure.key, int(self.span), self.start],
        )

    def _score(self, name: str, where: str) -> Sql:
        at, params = self._at(name)
        return f"{self.dialect.table(Score)} {name} WHERE {at} AND {where}", params

    def _whole(self, *more: str) -> Sql:
        """A row if the measure is in force and its ladder whole, and knows of this span; it ends
        with how much is pending, up to what a reading leaves."""
        key = self.worth.measure.key
        in_force, keys = in_force_term(self.dialect, [key])
        pending = (
            f"(SELECT COUNT(*) FROM (SELECT 1 AS one FROM {self.dialect.table(Delta)} d "
            f"WHERE d.measure = %s LIMIT {FOLD_ON_READ + 1}) p)"
        )
        columns = ", ".join([str(WHOLE), *more, "0", pending])
        limits, params = "", []
        if self.span is not Span.EVER:
            limits, params = " AND l.since <= %s", [self.start]
        if self.span is Span.WEEK:
            limits, params = f"{limits} AND l.week_start = %s", [*params, options().WEEK_START]
        sql = (
            f"SELECT {columns} FROM {self.dialect.table(Ladder)} l WHERE l.measure = %s "
            f"AND l.upto IS NULL{limits} AND EXISTS ({in_force})"
        )
        return sql, [key, key, *params, *keys]

    def _is_whole(self, rows: Iterable[Any]) -> bool:
        """Whether that row is there. A site without a pump tidies up when much is pending."""
        whole = next((row for row in rows if row[0] == WHOLE), None)
        if whole is not None and whole[-1] > FOLD_ON_READ:
            using = self.dialect.using
            transaction.on_commit(partial(fold, using), using=using, robust=True)
        return whole is not None

    def _pending(self, where: str = "", given: Iterable[Any] = ()) -> Sql:
        """What is not folded yet: (scope, count, number)."""
        during, bounds = bounded(self.ask.interval)
        number = "count" if self.worth.measure.value is None else "total"
        more = f" AND {where}" if where else ""
        sql = (
            f"SELECT scope, SUM(count) AS count, SUM({number}) AS number "
            f"FROM {self.dialect.table(Delta)} WHERE measure = %s{more}{during} GROUP BY scope "
            f"HAVING SUM(count) <> 0 OR SUM({number}) <> 0"
        )
        return sql, [self.worth.measure.key, *given, *bounds]

    def _common(self) -> Sql:
        """WITH ``moved``: whose numbers are not what their scores say, from where to where; and
        ``changes``: how many more have a number than the rungs say."""
        pending, params = self._pending()
        at, place = self._at("s")
        sql = (
            f"WITH pending AS ({pending}), moved AS (SELECT p.scope, "
            "COALESCE(s.count, 0) AS count0, COALESCE(s.number, 0) AS number0, "
            "COALESCE(s.count, 0) + p.count AS count1, COALESCE(s.number, 0) + p.number AS number1 "
            f"FROM pending p LEFT JOIN {self.dialect.table(Score)} s ON {at} "
            "AND s.scope = p.scope), changes AS (SELECT number, SUM(more) AS more FROM ("
            "SELECT number0 AS number, -1 AS more FROM moved WHERE count0 <> 0 UNION ALL "
            "SELECT number1, 1 FROM moved WHERE count1 <> 0) c GROUP BY number "
            "HAVING SUM(more) <> 0)"
        )
        return sql, [*params, *place]

    def _best(self, where: str, given: list[Any], order: str, number: int) -> list[Sql]:
        """(scope, number, how many have that number) of the first in an order; of those who
        stand where their scores say, and of those who have moved."""
        more = f" AND {where}" if where else ""
        at, place = self._at("s")
        rung, level = self._at("r")
        kept = (
            f"SELECT s.scope, s.number FROM {self.dialect.table(Score)} s WHERE {at}{more} "
            f"AND s.scope NOT IN (SELECT m.scope FROM moved m) ORDER BY {order} LIMIT %s"
        )
        moved = (
            "SELECT v.scope, v.number FROM (SELECT m.scope AS scope, m.number1 AS number "
            f"FROM moved m WHERE m.count1 <> 0) v{' WHERE ' + where if where else ''} "
            f"ORDER BY {order} LIMIT %s"
        )
        return [
            (
                (
                    f"SELECT {NEAR} AS part, n.scope, n.number, "
                    "COALESCE(r.scopes, 0) + COALESCE(c.more, 0) AS tied "
                    f"FROM ({sql}) n LEFT JOIN {self.dialect.table(Rung)} r ON {rung} "
                    "AND r.level = 0 AND r.cell = n.number "
                    "LEFT JOIN changes c ON c.number = n.number"
                ),
                [*params, *given, number, *level],
            )
            for sql, params in ((kept, place), (moved, []))
        ]

    def _own_now(self, scope: str) -> Sql:
        """(how many have the same number, the number) of a scope."""
        pending, params = self._pending("scope = %s", [scope])
        score, place = self._score("s", "s.scope = %s")
        rung, level = self._at("r")
        own = (
            f"SELECT SUM(number) AS number FROM (SELECT s.number AS number FROM {score} UNION ALL "
            f"SELECT p.number FROM ({pending}) p) o"
        )
        sql = (
            f"SELECT {OWN}, '', COALESCE(r.scopes, 0) + COALESCE(c.more, 0), n.number "
            f"FROM ({own}) n LEFT JOIN {self.dialect.table(Rung)} r ON {rung} AND r.level = 0 "
            "AND r.cell = n.number LEFT JOIN changes c ON c.number = n.number"
        )
        return sql, [*place, scope, *params, *level]

    def _better(self, number: int) -> list[Sql]:
        """(how many scopes, how many different numbers) above a number."""
        rungs, (at, place) = self.dialect.table(Rung), self._at("r")
        terms: list[Sql] = []
        for level in range(LEVELS):
            cell = number >> BITS * level
            bounds, limits = "r.cell > %s", [cell]
            if level < LEVELS - 1:
                # Up to the end of the cell above, which holds it.
                bounds, limits = f"{bounds} AND r.cell <= %s", [cell, cell | (1 << BITS) - 1]
            terms.append(
                (
                    (
                        f"SELECT r.scopes AS scopes, r.numbers AS numbers FROM {rungs} r "
                        f"WHERE {at} AND r.level = {level} AND {bounds}"
                    ),
                    [*place, *limits],
                )
            )
        terms.append(
            (
                (
                    "SELECT c.more, CASE WHEN COALESCE(r.scopes, 0) + c.more > 0 THEN 1 ELSE 0 END - "
                    "CASE WHEN COALESCE(r.scopes, 0) > 0 THEN 1 ELSE 0 END FROM changes c "
                    f"LEFT JOIN {rungs} r ON {at} AND r.level = 0 AND r.cell = c.number "
                    "WHERE c.number > %s"
                ),
                [*place, number],
            )
        )
        sql = (
            f"SELECT {BETTER}, '', COALESCE(SUM(scopes), 0), COALESCE(SUM(numbers), 0) "
            f"FROM ({union(terms)}) b"
        )
        return [(sql, [value for _, some in terms for value in some])]


def _place(line: tuple[str, int]) -> tuple[int, str]:
    """What lines are sorted by; scopes by their signs, as the database does."""
    return -line[1], line[0]
