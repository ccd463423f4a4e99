"""Folding much: as fast and as small as promised, whatever is folded."""

from __future__ import annotations

import resource
import time
import tracemalloc
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

import livecounters as live
from livecounters import folding
from livecounters.dialects import dialect_of
from livecounters.models import Delta
from livecounters.windows import DAY, MINUTE

pytestmark = pytest.mark.django_db(transaction=True)

# Counter -> how many scopes and members its deltas have.
KINDS = {
    "attempts": (1, 1),
    "per_user": (1_000, 1),
    "score_sum": (1, 1),
    "learners": (1, 5_000),
    "learners_per_quiz": (100, 1_000),
    "score_max": (1, 200),
}


def pend(name: str, number: int) -> None:
    """Pending deltas of the last two days and of long ago, as triggers write them."""
    measure = live.counters[name].measure
    scopes, members = KINDS[name]
    dialect = dialect_of(measure.using)
    now = measure.clock.stamp(timezone.now()) // MINUTE * MINUTE
    ordered = measure.extremes
    table = dialect.table(Delta)
    sql = (
        f"INSERT INTO {table} (measure, scope, member, at, count, total) "
        "VALUES (%s, %s, %s, %s, 1, %s)"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        for start in range(0, number, 10_000):
            cursor.executemany(
                sql,
                [
                    (
                        measure.key,
                        "" if scopes == 1 else str(n * 7919 % scopes),
                        f"p{n * 31 % members:039}"
                        if ordered
                        else ("" if measure.member is None else str(n * 31 % members)),
                        now - (n * 6007 % (2 * DAY)) // MINUTE * MINUTE - (n % 50 == 0) * 300 * DAY,
                        n % 100 if measure.value is not None else 0,
                    )
                    for n in range(start, min(number, start + 10_000))
                ],
            )


def fold_all(name: str, number: int) -> dict[str, Any]:
    pend(name, number)
    folding.fold("default")
    assert not Delta.objects.exists()
    pend(name, number)
    small = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    folding.fold("default")
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - small
    assert not Delta.objects.exists()
    return {"per second": round(number / seconds), "grown MB": round(grown / 1024, 1)}


@pytest.mark.parametrize("name", ["attempts", "learners"])
def test_memory_stays_flat(name: str) -> None:
    pend(name, 6_000)
    tracemalloc.start()
    folding.fold("default")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert not Delta.objects.exists()
    # Of one batch, however many are pending.
    assert peak < 30_000_000


@pytest.mark.soak
@pytest.mark.parametrize("name", KINDS)
def test_a_million(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = fold_all(name, 1_000_000)

    with capsys.disabled():
        print(f"\n{connection.vendor} {name}: {found}")
    assert found["grown MB"] < 60
