"""Folding: moving deltas into the buckets, without a reader ever seeing another number."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import transaction
from django.db.models import Count, Max

from livecounters.dialects import Dialect, dialect_of
from livecounters.measures import declared_measures
from livecounters.models import Delta
from livecounters.windows import MINUTE, QUARTER, Clock, Grain

__all__ = ["Changed", "fold", "pending", "since"]

# Deltas folded in one transaction, and bucket rows written by one statement.
FOLD_BATCH = 5_000
WRITE_BATCH = 100

Changed = dict[str, set[str]]
"""Measure key -> the scopes whose numbers changed."""


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


def fold(using: str) -> Changed:
    """Move every pending delta into the buckets; answer measure key -> scopes that changed.

    Deltas of measures that this process does not know (another release's) are left alone.

    Safe beside readers, writers and other folders, and at any point of death: a delta is
    deleted and added up in one transaction.
    """
    changed: Changed = defaultdict(set)
    clocks = {measure.key: measure.clock for measure in declared_measures()}
    while clocks and _fold_batch(dialect_of(using), clocks, changed) == FOLD_BATCH:
        pass
    return changed


def _fold_batch(dialect: Dialect, clocks: dict[str, Clock], changed: Changed) -> int:
    with transaction.atomic(using=dialect.using):
        taken = _take(dialect, list(clocks))
        sums: dict[tuple[str, str, int, int, str], list[int]] = defaultdict(lambda: [0, 0])
        for measure, scope, member, at, count, total in taken:
            changed[measure].add(scope)
            for grain, start in _buckets(at, clocks[measure]):
                entry = sums[measure, scope, int(grain), start, member]
                entry[0] += count
                entry[1] += total
        # In order, so that two folders never wait for each other crosswise.
        rows = [(*key, count, total) for key, (count, total) in sorted(sums.items())]
        with dialect.connection.cursor() as cursor:
            for start in range(0, len(rows), WRITE_BATCH):
                batch = rows[start : start + WRITE_BATCH]
                cursor.execute(
                    dialect.add_buckets_sql(len(batch)), [value for row in batch for value in row]
                )
    return len(taken)


def _take(dialect: Dialect, measures: list[str]) -> list[Any]:
    with dialect.connection.cursor() as cursor:
        cursor.execute(dialect.take_deltas_sql(len(measures)), [*measures, FOLD_BATCH])
        return list(cursor.fetchall())


def _buckets(at: int | None, clock: Clock) -> list[tuple[Grain, int]]:
    if at is None:
        return [(Grain.EVER, 0)]
    return [
        (Grain.EVER, 0),
        (Grain.DAY, clock.day_start(at)),
        (Grain.QUARTER, at // QUARTER * QUARTER),
        (Grain.MINUTE, at // MINUTE * MINUTE),
    ]
