"""Folding: moving deltas into the buckets, without a reader ever seeing another number.

One process folds at a time; another that tries leaves it alone or waits.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import models, transaction
from django.db.models import Count, Max
from django.utils import timezone

from livecounters import ladders
from livecounters.conf import options
from livecounters.dialects import Dialect, dialect_of
from livecounters.measures import Measure, declared_measures
from livecounters.models import Bucket, Delta, Ladder, Member, Suspect
from livecounters.registry import Registry, registry
from livecounters.windows import EARLIEST, LATEST, MINUTE, QUARTER, Clock, Grain

__all__ = ["Changed", "alone", "fold", "pending", "raise_ladders", "since"]

# Deltas folded in one transaction.
FOLD_BATCH = 5_000

Changed = dict[str, set[str]]
"""Measure key -> the scopes whose numbers changed."""

Sums = dict[tuple[Any, ...], list[int]]
"""The key columns of a table of sums -> what is added to its other columns."""


def pending(using: str) -> int:
    """How many deltas wait to be folded."""
    return Delta.objects.using(using).count()


def since(using: str, seen: int) -> tuple[Changed, int, int]:
    """What changed above a delta's id: (changed, newest id, pending).

    Only for a database with one writer, where ids are in the order of commits.
    """
    found = Delta.objects.using(using).aggregate(newest=Max("id"), pending=Count("id"))
    newest = max(seen, found["newest"] or 0)
    changed: Changed = defaultdict(set)
    if newest > seen:
        fresh = Delta.objects.using(using).filter(id__gt=seen, id__lte=newest)
        for measure, scope in fresh.values_list("measure", "scope").distinct():
            changed[measure].add(scope)
    return changed, newest, found["pending"]


def fold(
    using: str,
    *,
    wait: bool = False,
    declared: Registry = registry,
    now: dt.datetime | None = None,
) -> Changed:
    """Move every pending delta into the buckets; answer measure key -> scopes that changed.

    Deltas of measures that this process does not know (another release's) are left alone, and
    so is everything while another process folds, unless told to ``wait`` for it.

    Safe beside readers, writers and other folders, and at any point of death: a delta is
    deleted and added up in one transaction.
    """
    changed: Changed = defaultdict(set)
    known = {
        measure.key: measure for measure in declared_measures(declared) if measure.using == using
    }
    dialect = dialect_of(using)
    while known and _fold_batch(dialect, known, changed, wait) == FOLD_BATCH:
        pass
    raise_ladders(using, wait=wait, declared=declared, now=now)
    return changed


def raise_ladders(
    using: str,
    *,
    wait: bool = True,
    declared: Registry = registry,
    now: dt.datetime | None = None,
) -> None:
    """Make the ladders that are not whole; without ``wait`` no more than a portion of one."""
    dialect, now = dialect_of(using), now or timezone.now()
    measures = [m for m in declared_measures(declared) if m.using == using and ladders.ranked(m)]
    while True:
        found = ladders.ladders(dialect.using, measures)
        if all(_whole(found.get(measure.key)) for measure in measures):
            return
        with alone(dialect, wait) as so:
            found = ladders.ladders(dialect.using, measures) if so else {}
            more = so and ladders.raise_one(dialect, measures, found, now)
        if not (wait and more):
            return


def _whole(ladder: Ladder | None) -> bool:
    return ladder is not None and ladder.upto is None and ladder.week_start == options().WEEK_START


@contextmanager
def alone(dialect: Dialect, wait: bool = True, atomic: bool = True) -> Iterator[bool]:
    """A transaction in which nobody else changes the buckets; says whether it is that.

    With ``atomic=False`` it is no transaction where definitions cannot be part of one.
    """
    lock, unlock = dialect.lock_sql(wait), dialect.unlock_sql()
    if unlock is None:
        with transaction.atomic(using=dialect.using):
            yield lock is None or bool(_ask(dialect, lock))
        return
    # A lock of the session: held until the transaction has ended.
    held = lock is None or bool(_ask(dialect, lock))
    try:
        with transaction.atomic(using=dialect.using) if atomic else nullcontext():
            yield held
    finally:
        if held:
            _ask(dialect, unlock)


def _ask(dialect: Dialect, sql: str) -> Any:
    with dialect.connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


class _Folded(Exception):
    """Somebody else folded these deltas."""


def _fold_batch(
    dialect: Dialect, known: Mapping[str, Measure], changed: Changed, wait: bool
) -> int:
    try:
        with alone(dialect, wait) as so:
            taken = _take(dialect, known) if so else []
            buckets: Sums = defaultdict(lambda: [0, 0, 0])
            members: Sums = defaultdict(lambda: [0])
            for key, scope, member, at, count, total in taken:
                measure = known[key]
                for grain, start in _places(at, measure.clock):
                    if measure.member is not None:
                        members[key, scope, grain, member, start][0] += count
                    else:
                        entry = buckets[key, scope, grain, start]
                        entry[0] += count
                        entry[1] += int(total)
            _post(dialect, buckets, members)
            _renew(dialect, known, taken)
            _suspect(dialect, {(row[0], row[1]) for row in taken if known[row[0]].joined})
    except _Folded:
        return 0
    for key, scope, *_ in taken:
        changed[key].add(scope)
    return len(taken)


def _renew(dialect: Dialect, known: Mapping[str, Measure], taken: list[Any]) -> None:
    scopes: Changed = defaultdict(set)
    for key, scope, *_ in taken:
        scopes[key].add(scope)
    for key, ladder in ladders.ladders(dialect.using, [known[key] for key in scopes]).items():
        ladders.renew(dialect, known[key], ladder, scopes[key])


def _suspect(dialect: Dialect, scopes: Iterable[tuple[str, str]]) -> None:
    """Remember whose deltas are gone, until no transaction is left that did not see them."""
    if dialect.single_writer:
        return
    Suspect.objects.using(dialect.using).bulk_create(
        [Suspect(measure=key, scope=scope) for key, scope in sorted(scopes)],
        update_conflicts=True,
        unique_fields=None if dialect.connection.vendor == "mysql" else ["measure", "scope"],
        update_fields=["seen"],
    )


def _take(dialect: Dialect, known: Iterable[str]) -> list[Any]:
    """The oldest deltas of these measures, deleted."""
    deltas = Delta.objects.using(dialect.using)
    found = list(
        deltas.filter(measure__in=list(known))
        .order_by("id")
        .values_list("id", "measure", "scope", "member", "at", "count", "total")[:FOLD_BATCH]
    )
    ids = [row[0] for row in found]
    # Read plainly and deleted by primary key, which locks nothing that a writer wants. A lock
    # of the session may have ended before the transaction of somebody who folded inside one.
    if ids and _delete(dialect, ids) != len(ids):
        raise _Folded
    return [row[1:] for row in found]


def _delete(dialect: Dialect, ids: list[int]) -> int:
    with dialect.connection.cursor() as cursor:
        cursor.execute(dialect.delete_sql(ids))
        return int(cursor.rowcount)


def _places(at: int | None, clock: Clock) -> list[tuple[int, int]]:
    """The buckets that a stamp belongs to: (grain, start)."""
    if at is None or not EARLIEST <= at < LATEST:
        return [(Grain.EVER.value, 0)]
    return [
        (Grain.EVER.value, 0),
        (Grain.DAY.value, clock.day_start(at)),
        (Grain.QUARTER.value, at // QUARTER * QUARTER),
        (Grain.MINUTE.value, at // MINUTE * MINUTE),
    ]


# Writing


def _post(dialect: Dialect, buckets: Sums, members: Sums) -> None:
    """Add to the buckets and to the rows of members, and move each member to its latest bucket."""
    members = {key: sums for key, sums in members.items() if any(sums)}
    whose = sorted({key[:4] for key in members})
    before = _latest(dialect, whose)
    _add(dialect, Member, members)
    after = _latest(dialect, whose)
    for one in whose:
        measure, scope, grain, _ = one
        old, new = before.get(one), after.get(one)
        if old != new:
            for start, number in ((old, -1), (new, 1)):
                if start is not None:
                    buckets[measure, scope, grain, start][2] += number
    _add(dialect, Bucket, {key: sums for key, sums in buckets.items() if any(sums)})


def _latest(dialect: Dialect, whose: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], int]:
    """The start of the latest bucket of each (measure, scope, grain, member) that has rows."""
    found = {}
    with dialect.connection.cursor() as cursor:
        for some in _batches(dialect, whose):
            cursor.execute(*dialect.latest_sql(some))
            found.update({tuple(row[:4]): row[4] for row in cursor.fetchall()})
    return found


def _add(dialect: Dialect, model: type[models.Model], sums: Sums) -> None:
    rows = [(*key, *map(dialect.storable, numbers)) for key, numbers in sorted(sums.items())]
    with dialect.connection.cursor() as cursor:
        for some in _batches(dialect, rows):
            cursor.execute(*dialect.add_sql(model, some))


def _batches(dialect: Dialect, rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), dialect.write_batch):
        yield rows[start : start + dialect.write_batch]
