"""What is compared, and the rows it is fed with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from benchmarks.host import peers
from benchmarks.host.models import (
    Attempt,
    Bare,
    Cached,
    Counted,
    Quiz,
    Recomputed,
    Streamed,
    Told,
    ToldCounted,
)
from livecounters import folding

HISTORY = dt.timedelta(days=30)


@dataclass(frozen=True)
class Variant:
    name: str
    model: type[Attempt]


BARE = Variant("bare host", Bare)
OURS = [
    BARE,
    Variant("livecounters: 3 counters", Counted),
    Variant("livecounters: with activity", Told),
    Variant("livecounters: and its counter", ToldCounted),
]


def found() -> list[Variant]:
    """Every variant that can be run here, the bare host first."""
    stream = [Variant("django-activity-stream", Streamed)] if peers.STREAM else []
    return [
        *OURS,
        *stream,
        Variant("signal, F()", Cached),
        Variant("recompute on save", Recomputed),
    ]


@cache
def _keys() -> tuple[list[int], list[int]]:
    return (
        list(get_user_model().objects.order_by("pk").values_list("pk", flat=True)),
        list(Quiz.objects.order_by("pk").values_list("pk", flat=True)),
    )


_numbers = count()


def attempts(
    model: type[Attempt], number: int, *, over: dt.timedelta = dt.timedelta()
) -> list[Attempt]:
    """Completed attempts, not saved yet, evenly over the time up to now."""
    users, quizzes = _keys()
    now = timezone.now()
    return [
        model(
            user_id=users[n * 7 % len(users)],
            quiz_id=quizzes[n % len(quizzes)],
            completed=True,
            completed_at=now - over * (place / number),
            score=n % 100,
            note=f"note {n}",
        )
        for place, n in zip(range(number), _numbers, strict=False)
    ]


def settle(variants: list[Variant], keep: int | None = None, *, exact: bool = False) -> None:
    """Between rounds: bring the tables back to the ``keep`` oldest rows, with nothing pending.

    Deltas are dropped, not folded, unless ``exact``, for rounds that read numbers: folding takes
    its time.
    """
    with connection.cursor() as cursor:
        if keep is not None:
            for table in _tables(variants):
                cursor.execute(f"SELECT id FROM {table} ORDER BY id LIMIT 1 OFFSET %s", [keep])
                for first in cursor.fetchall():
                    cursor.execute(f"DELETE FROM {table} WHERE id >= %s", first)
            # The rows that are kept are never told again: none of them changes.
            cursor.execute("DELETE FROM livecounters_eventsource")
        if exact:
            folding.fold("default")
        cursor.execute("DELETE FROM livecounters_delta")
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM")


def _tables(variants: list[Variant]) -> Iterator[str]:
    yield from (variant.model._meta.db_table for variant in variants)
    # Append-only, so that going back to their oldest rows forgets what the round told.
    yield "livecounters_activityevent"
