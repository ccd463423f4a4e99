"""Statements of many rows. Signals see none of them, so the alternatives have no place here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import F

from benchmarks.report import Table
from benchmarks.rounds import Operation, compare
from benchmarks.variants import HISTORY, OURS, Variant, attempts, settle

ROUNDS = 7
ROWS = 20_000
FEWER = 5_000


def run(rows: int, rounds: int | None) -> Iterator[Table]:
    shrink = partial(settle, OURS, keep=rows)
    operations = [
        Operation(f"bulk_create() of {ROWS:,} of this moment", _new, _insert, settle=shrink),
        Operation(f"bulk_create() of {ROWS:,} of a month", _old, _insert, settle=shrink),
        Operation(f"update() of {ROWS:,} notes", _saved, _annotate, settle=shrink),
        Operation(f"update() of {ROWS:,} scores", _saved, _rescore, settle=shrink),
        Operation(f"delete of {ROWS:,}", _saved, _delete, settle=shrink),
        # Last, as it leaves a session with other plans.
        Operation(f"bulk_create() of {FEWER:,} after a single one", _later, _insert, settle=shrink),
    ]
    for operation in operations:
        yield compare(operation, OURS, rounds or ROUNDS)


def _new(variant: Variant) -> Any:
    return variant.model, attempts(variant.model, ROWS)


def _old(variant: Variant) -> Any:
    return variant.model, attempts(variant.model, ROWS, over=HISTORY)


def _insert(prepared: Any) -> None:
    model, rows = prepared
    model.objects.bulk_create(rows)


def _later(variant: Variant) -> Any:
    # PostgreSQL keeps the plans of a trigger's first call as long as the session: a new session
    # makes them for one row, and must be able to work with them on many.
    connection.close()
    attempts(variant.model, 1)[0].save()
    return variant.model, attempts(variant.model, FEWER)


def _saved(variant: Variant) -> Any:
    newest = variant.model.objects.latest("pk").pk
    variant.model.objects.bulk_create(attempts(variant.model, ROWS))
    settle([])
    return variant.model.objects.filter(pk__gt=newest)


def _annotate(rows: Any) -> None:
    rows.update(note="another")


def _rescore(rows: Any) -> None:
    rows.update(score=F("score") + 1)


def _delete(rows: Any) -> None:
    rows._raw_delete("default")
