"""One number out of more and more rows, beside the COUNT that it stands for."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

import livecounters as live
from benchmarks.host.livecounters import COMPLETED, MONTH
from benchmarks.host.models import Attempt, People, Quiz, Read
from benchmarks.report import Table
from livecounters import capture, installation
from livecounters.ledger import FOLD_ON_READ
from livecounters.measures import Measure
from livecounters.models import Delta

ROUNDS = 30
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
# Of as many rows the tenth part are people; more of them than a site has are not counted.
PEOPLE_SIZES = SIZES[:-1]
# As many as a reading leaves pending.
PENDING = FOLD_ON_READ
# Rows lie evenly in so many days (from 10,000 of them on), of which the window sees 30.
DAYS = 90
# Prime to the seconds in them, and small enough for an integer of PostgreSQL.
STRIDE = 1_009

NUMBERS = {
    "postgresql": "SELECT n FROM generate_series(%s::bigint, %s) n",
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM s WHERE n < %s) "
    "SELECT n FROM s",
    "mysql": "WITH RECURSIVE s(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM s WHERE n < %s) "
    "SELECT n FROM s",
}
SETTLE = {
    "postgresql": "VACUUM ANALYZE",
    "sqlite": "ANALYZE",
    "mysql": "ANALYZE TABLE livecounters_bucket, livecounters_member, livecounters_score, livecounters_rung, livecounters_delta, "
    "host_read, host_people",
}
TIMES = {
    "postgresql": "now() - {ago} * interval '1 second'",
    "mysql": "UTC_TIMESTAMP(6) - INTERVAL {ago} SECOND",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-' || {ago} || ' seconds')",
}


def run(rows: int, rounds: int | None) -> Iterator[Table]:
    """``rows`` means nothing here: the tables are grown."""
    month, people = live.counters["read_month"], live.counters["read_people"]
    table = Table(f"one number of the last 30 days (median of {rounds or ROUNDS})")
    for size in SIZES:
        _grow(Read, size)
        questions: dict[str, Callable[[], Any]] = {"COUNT(*)": _count, "counter": month.value}
        _ask(table, size, "folded", questions, rounds or ROUNDS)
        if size in PEOPLE_SIZES:
            _grow(People, size)
            questions = {"COUNT(DISTINCT)": _people, "distinct counter": people.value}
            _ask(table, size, "folded", questions, rounds or ROUNDS)
        _leave_pending(month.measure)
        _ask(table, size, f"{PENDING:,} pending", {"counter": month.value}, rounds or ROUNDS)
        Delta.objects.all().delete()
        settled()
    yield table


def _grow(model: type[Attempt], size: int) -> None:
    """Fill the table up to ``size`` rows, of a tenth as many people."""
    table = model._meta.db_table
    capture.detach("default", [table])
    first = model._default_manager.count() + 1
    ago = f"((n * {STRIDE}) %% {DAYS * 86400})"
    users = get_user_model()
    people, quizzes = min(size // 10, 100_000), Quiz.objects.count()
    known = users.objects.count()
    users.objects.bulk_create([users(username=f"user{n}") for n in range(known, people)])
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET max_recursive_iterations = 4294967295")
        cursor.execute(
            f"INSERT INTO {table} "
            "(user_id, quiz_id, completed, completed_at, score, note) "
            f"SELECT 1 + n %% {people}, 1 + n %% {quizzes}, true, "
            f"{TIMES[connection.vendor].format(ago=ago)}, n %% 100, 'note' "
            f"FROM ({NUMBERS[connection.vendor]}) numbers",
            [first, size],
        )
    installation.sync("default")
    settled()


def settled() -> None:
    with connection.cursor() as cursor:
        cursor.execute(SETTLE[connection.vendor])
        cursor.fetchall() if connection.vendor == "mysql" else None


def _month(model: type[Attempt]) -> Any:
    start = timezone.now() - dt.timedelta(seconds=MONTH.seconds)
    return model._default_manager.filter(COMPLETED, completed_at__gte=start)


def _count() -> int:
    return int(_month(Read).count())


def _people() -> int:
    return int(_month(People).values("user").distinct().count())


def _leave_pending(measure: Measure) -> None:
    now = int(time.time())
    Delta.objects.bulk_create(
        Delta(measure=measure.key, scope="", member="", at=(now - n) // 60 * 60, count=1, total=0)
        for n in range(PENDING)
    )


def _ask(
    table: Table, size: int, state: str, questions: dict[str, Callable[[], Any]], rounds: int
) -> None:
    wall: dict[str, list[float]] = {name: [] for name in questions}
    inside: dict[str, list[float]] = {name: [] for name in questions}
    statements = {name: _statement(question) for name, question in questions.items()}
    for number in range(rounds + 1):
        for name, question in questions.items():
            start = time.perf_counter()
            question()
            if number:
                wall[name].append(time.perf_counter() - start)
                inside[name].append(_inside(*statements[name]))
    for name, question in questions.items():
        row = {"question": name, "rows": size, "deltas": state, "answer": question()}
        row["in the database, ms"] = statistics.median(inside[name]) * 1000
        table.add(row | {"in Python, ms": statistics.median(wall[name]) * 1000})


def _statement(question: Callable[[], Any]) -> tuple[str, Any]:
    seen: list[tuple[str, Any]] = []

    def executed(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, *rest)

    with connection.execute_wrapper(executed):
        question()
    (statement,) = seen
    return statement


def _inside(sql: str, params: Any) -> float:
    """Seconds in the database: planning and execution by its own clock, where it has one."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
            plan = cursor.fetchone()[0][0]
            return float(plan["Planning Time"] + plan["Execution Time"]) / 1000
        start = time.perf_counter()
        cursor.execute(sql, params)
        cursor.fetchall()
        return time.perf_counter() - start
