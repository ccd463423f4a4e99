"""Settling: what two transactions did to one joined number without seeing each other.

A transaction that links a quiz to a package does not see the attempt at that quiz that another is
about to commit, and the other does not see the link: nobody's deltas count the attempt for the
package. So whoever changes a table that a counter *goes over* leaves marks of the changed rows,
and as soon as every transaction is over that may not have seen them, the scopes they concern
(``marks``) are compared with the defining query and made right. Writers wait for nothing.

A row that is gone again reaches no scope, but whoever counted it has left a delta; so the scopes of
deltas that are folded are suspects until all is over that could have changed them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from livecounters import audit
from livecounters.dialects import Dialect, Holder, dialect_of
from livecounters.exceptions import Busy
from livecounters.marks import concerned
from livecounters.measures import Measure, declared_measures
from livecounters.models import Mark, Measured, Suspect
from livecounters.registry import Registry, registry

__all__ = ["Waiting", "settle", "waiting"]

# Scopes that are compared by one statement.
SCOPES = 500
# Marks that one statement is about.
PORTION = 5_000

Changed = dict[str, set[str]]


@dataclass(frozen=True)
class Waiting:
    """What waits to be settled in one database: how many marks, and for whom; ``blind`` if that
    cannot be seen, for want of a right, so that nothing is ever settled."""

    marks: int = 0
    holders: tuple[Holder, ...] = ()
    blind: bool = False


def waiting(using: str) -> Waiting:
    """Look; changes nothing."""
    dialect = dialect_of(using)
    if dialect.single_writer:
        return Waiting()
    marks = Mark.objects.using(using)
    holders = {holder for seen in _seen(marks) for holder in dialect.holders(seen)}
    number = marks.count()
    return Waiting(number, tuple(sorted(holders)), bool(number) and dialect.running() is None)


def settle(using: str, declared: Registry = registry) -> Changed:
    """Settle what can be settled now; answers the scopes that were looked at.

    Safe beside readers, writers, folders and others that settle.
    """
    dialect = dialect_of(using)
    if dialect.single_writer:
        return {}
    if not _anything(using):
        return {}
    joined = [m for m in declared_measures(declared) if m.using == using and m.joined]
    ripe = _ripe(dialect)
    changed: Changed = {}
    if ripe:
        marks = Mark.objects.using(using).filter(pk__in=ripe)
        tables = set(marks.values_list("table", flat=True).distinct())
        done = [_settle(dialect, measure, tables, changed) for measure in joined]
        if all(done):
            gone = marks.exclude(table__in=_elsewhere(using, joined))
            _execute(dialect, dialect.delete_sql, list(gone.values_list("pk", flat=True)), Mark)
    _clear(dialect)
    return changed


def _anything(using: str) -> bool:
    some = Mark.objects.using(using).values_list("seen")
    return some.union(Suspect.objects.using(using).values_list("seen"), all=True)[:1].exists()


def _elsewhere(using: str, joined: Sequence[Measure]) -> set[str]:
    """The tables that measures over several tables go over which are not declared here: those of
    another release, which is at work beside this one and settles them itself."""
    captured = Measured.objects.using(using).exclude(installation="")
    others = captured.exclude(measure__in=[measure.key for measure in joined])
    return {table for row in others if len(row.tables) > 1 for table in row.tables}


def _settle(dialect: Dialect, measure: Measure, tables: set[str], changed: Changed) -> bool:
    """Make a measure right wherever marks of these tables concern it; answers if that is done."""
    over = [model for model in measure.models[1:] if model._meta.db_table in tables]
    measured = Measured.objects.using(dialect.using).filter(measure=measure.key)
    if not over or not measured.exclude(installation="").exists():
        return True
    scopes = sorted(concerned(measure))
    for start in range(0, len(scopes), SCOPES):
        try:
            audit.repair(measure, scopes[start : start + SCOPES], told=False)
        except Busy:
            return False  # the next time
    changed.setdefault(measure.key, set()).update(scopes)
    return True


# Ripeness


def _ripe(dialect: Dialect) -> list[int]:
    """The marks that every transaction at work has seen, or could have."""
    rows = Mark.objects.using(dialect.using)
    _look(dialect, rows)
    over = [seen for seen in _seen(rows) if dialect.over(seen)]
    return list(rows.filter(seen__in=over).values_list("pk", flat=True)) if over else []


def _clear(dialect: Dialect) -> None:
    """Suspect no more whoever has been looked at by all that could have changed it."""
    suspects = Suspect.objects.using(dialect.using)
    _look(dialect, suspects)
    if Mark.objects.using(dialect.using).exists():
        return
    for seen in _seen(suspects):
        # Marks of those transactions are there once they are over, so first one, then the other.
        if dialect.over(seen) and not Mark.objects.using(dialect.using).exists():
            suspects.filter(seen=seen).delete()


def _seen(rows: QuerySet[Any]) -> list[str]:
    return [one for one in rows.values_list("seen", flat=True).distinct() if one is not None]


def _look(dialect: Dialect, rows: QuerySet[Any]) -> None:
    new = rows.filter(seen=None)
    keys = list(new.values_list("pk", flat=True))
    # After they were seen: whoever begins later sees them, too.
    if not keys or (running := dialect.running()) is None:
        return
    if rows.model is Mark:
        _execute(dialect, dialect.look_sql, keys, params=[running])
    else:
        new.filter(pk__in=keys).update(seen=running)


def _execute(
    dialect: Dialect, sql: Callable[..., str], ids: Sequence[int], *given: Any, params: Any = None
) -> None:
    """Run a statement about these rows, not too many at a time."""
    with dialect.connection.cursor() as cursor:
        for start in range(0, len(ids), PORTION):
            cursor.execute(sql(ids[start : start + PORTION], *given), params)
