"""The rank of one of a million: off the ladder, and by adding everything up."""

from __future__ import annotations

import datetime as dt
import os
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

import livecounters as live
from benchmarks.read import DAYS, NUMBERS, STRIDE, TIMES, settled
from benchmarks.report import Table
from livecounters import folding, ladders, ranking
from livecounters.dialects import dialect_of
from livecounters.folding import Sums
from livecounters.ledger import FOLD_ON_READ
from livecounters.models import Bucket, Delta, Ladder, Rung, Score
from livecounters.readers import Counter
from livecounters.windows import Grain

USERS = int(os.environ.get("LIVECOUNTERS_BENCHMARK_USERS", "1000000"))
ROUNDS = 200
# Adding everything up takes seconds.
SLOW_ROUNDS = 3
WINDOWS = {"ever": live.ever, "today": live.today, "this week": live.this_week}
SLOW_WINDOWS = {"this month": live.this_month}


def run(rows: int, rounds: int | None) -> Iterator[Table]:
    """``rows`` means nothing here: there are a million people."""
    made = Table(f"making them, of {USERS:,} people")
    counters = [live.counters["ranked_sessions"], live.counters["ranked_points"]]
    _fill(counters)
    _ladders(made)
    yield made
    table = Table(f"one person among {USERS:,} (of {rounds or ROUNDS} people)")
    for state in ("folded", f"{FOLD_ON_READ:,} pending"):
        if state != "folded":
            _leave_pending(counters)
        for counter in counters:
            for name, window in WINDOWS.items():
                _ask(table, counter, name, window, state, rounds or ROUNDS)
    yield table
    folding.fold("default", wait=True)
    yield _added_up(counters[0])
    yield _folding(counters[0])


def _fill(counters: list[Counter]) -> None:
    """The buckets of everybody who has done something within 90 days, some of them often: what
    folding would have made of the rows, without the rows."""
    users = get_user_model()
    name = "CONCAT('user', n)" if connection.vendor == "mysql" else "'user' || n"
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET max_recursive_iterations = 4294967295")
        cursor.execute(
            f"INSERT INTO {users._meta.db_table} (username, password, first_name, last_name, "
            "email, is_superuser, is_staff, is_active, date_joined) "
            f"SELECT {name}, '', '', '', '', false, false, true, "
            f"{TIMES[connection.vendor].format(ago=0)} "
            f"FROM ({NUMBERS[connection.vendor]}) numbers",
            [users.objects.count(), USERS - 1],
        )
    for counter in counters:
        ladders.drop("default", [counter.measure.key])
        dialect, clock = dialect_of("default"), counter.measure.clock
        today = clock.day(int(time.time()))
        midnights = [clock.midnight(today - dt.timedelta(days=n)) for n in range(DAYS)]
        sums: Sums = defaultdict(lambda: [0, 0, 0])
        for n in range(USERS + USERS // 5):
            user = n if n < USERS else n * 7919 % 1000 * (n % 1000) % USERS
            score = 0 if counter.measure.value is None else n * 31 % 10_000
            day = midnights[n * STRIDE // 86_400 % DAYS]
            for grain, start in ((Grain.EVER, 0), (Grain.DAY, day)):
                one = sums[counter.measure.key, str(user + 1), int(grain), start]
                one[0] += 1
                one[1] += score
        with transaction.atomic():
            folding._add(dialect, Bucket, sums)
    settled()


def _ladders(table: Table) -> None:
    start = time.perf_counter()
    folding.raise_ladders("default")
    table.add({"what": "two ladders", "seconds": time.perf_counter() - start})
    settled()
    for model in (Score, Rung):
        table.add({"what": f"rows of {model.__name__}", "rows": model._base_manager.count()})


def _leave_pending(counters: list[Counter]) -> None:
    now, chance = int(time.time()) // 60 * 60, random.Random(1)
    for counter in counters:
        Delta.objects.bulk_create(
            Delta(
                measure=counter.measure.key,
                scope=str(chance.randrange(1, USERS)),
                member="",
                at=now,
                count=1,
                total=chance.randrange(100),
            )
            for _ in range(FOLD_ON_READ)
        )
    settled()


def _ask(table: Table, counter: Counter, name: str, window: Any, state: str, rounds: int) -> None:
    chance = random.Random(2)
    # People who have a place in this window.
    scopes = [place.scope for place in counter.top(200_000, window=window)]
    some = [chance.choice(scopes) for _ in range(rounds)]
    questions: dict[str, Callable[[str], Any]] = {
        "rank of one": lambda scope: counter.rank(of=scope, window=window),
        "with 2 neighbours on each side": lambda scope: counter.neighbours(of=scope, window=window),
        "the first 10": lambda scope: counter.top(10, window=window),
    }
    for question, ask in questions.items():
        times = [_timed(ask, scope) for scope in some]
        row = {"question": question, "counter": counter.entry.name, "window": name}
        row |= {"deltas": state, "ms": statistics.median(times) * 1000}
        table.add(row | {"ms, 99 of 100": statistics.quantiles(times, n=100)[98] * 1000})


def _added_up(counter: Counter) -> Table:
    table = Table(f"without a ladder: everything is added up (median of {SLOW_ROUNDS})")
    for name, window in {**WINDOWS, **SLOW_WINDOWS}.items():
        ask = counter._all(None, window, timezone.now(), "rank()")
        scope = counter.top(1, window=window)[0].scope
        times = [
            _timed(partial(ranking._around, counter._worth, ask, near=0, ascending=False), scope)
            for _ in range(SLOW_ROUNDS)
        ]
        row = {"question": "rank of one", "counter": counter.entry.name, "window": name}
        table.add(row | {"ms": statistics.median(times) * 1000})
    return table


def _folding(counter: Counter) -> Table:
    """What keeping the order costs the one who folds."""
    table = Table("folding 5,000 deltas of as many people (median of 5)")
    times: dict[str, list[float]] = {"with a ladder": [], "without": []}
    kept = list(Ladder.objects.filter(measure=counter.measure.key))
    for number in range(5):
        for name, found in times.items():
            chance, now = random.Random(f"{number}{name}"), int(time.time()) // 60 * 60
            # One that is not whole is neither read nor made while somebody else does.
            Ladder.objects.filter(measure=counter.measure.key).delete()
            if name == "with a ladder":
                Ladder.objects.bulk_create(kept)
            Delta.objects.bulk_create(
                Delta(
                    measure=counter.measure.key,
                    scope=str(chance.randrange(1, USERS)),
                    member="",
                    at=now,
                    count=1,
                    total=0,
                )
                for _ in range(folding.FOLD_BATCH - 1)
            )
            batch = partial(
                folding._fold_batch,
                dialect_of("default"),
                {counter.measure.key: counter.measure},
                wait=True,
            )
            found.append(_timed(batch, defaultdict(set)))
    for name, found in times.items():
        table.add({"what": name, "ms": statistics.median(found) * 1000})
    return table


def _timed(ask: Callable[[Any], Any], given: Any) -> float:
    start = time.perf_counter()
    ask(given)
    return time.perf_counter() - start
