"""Many writers, all for one object: what a counter's hot row does to a site, and what ours does.

Every writer is a process with a connection of its own, and the server waits for its disk at each
commit, as a site's server does.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from django.contrib.auth import get_user_model
from django.db import OperationalError, connection, connections
from django.utils import timezone

from benchmarks.host.models import Attempt, Counted, Quiz, Told, Totals
from benchmarks.report import Table
from benchmarks.variants import Variant, found, settle

WRITERS = 50
SECONDS = 4.0
ROUNDS = 3
# Recomputing is too slow to be compared here, and an activity stream counts nothing.
COMPARED = ("bare host", "livecounters: 3 counters", "livecounters: with activity", "signal, F()")


def run(rows: int, rounds: int | None) -> Iterator[Table]:
    """``rows`` are there beforehand; a round is some seconds of every variant in turn."""
    if connection.vendor == "sqlite":
        return  # one writer at a time
    variants = [variant for variant in found() if variant.name in COMPARED]
    speeds: dict[str, list[float]] = {variant.name: [] for variant in variants}
    deadlocks = dict.fromkeys(speeds, 0)
    for number in range(rounds or ROUNDS):
        for variant in [*variants[number:], *variants[:number]]:
            written, failed = _race(variant)
            speeds[variant.name].append(written / SECONDS)
            deadlocks[variant.name] += failed
            _check(variant)
        settle(variants, keep=rows, exact=True)
    table = Table(f"{WRITERS} writers, one quiz (median of {rounds or ROUNDS} x {SECONDS:g} s)")
    bare = statistics.median(speeds["bare host"])
    for variant in variants:
        speed = statistics.median(speeds[variant.name])
        table.add(
            {
                "variant": variant.name,
                "rows a second": speed,
                "ratio": speed / bare,
                "deadlocks": deadlocks[variant.name],
            }
        )
    yield table


def _race(variant: Variant) -> tuple[int, int]:
    """All writers at once; answers the rows written and the writes that failed."""
    quiz = Quiz.objects.order_by("pk").values_list("pk", flat=True)[0]
    users = list(get_user_model().objects.order_by("pk").values_list("pk", flat=True))
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    start = fork.Event()
    ends = []
    for number in range(WRITERS):
        here, there = fork.Pipe(duplex=False)
        user = users[number % len(users)]
        process = fork.Process(target=_write, args=(variant.model, quiz, user, start, there))
        process.start()
        ends.append((process, here))
    for _, end in ends:
        end.recv()  # connected
    start.set()
    results = [end.recv() for _, end in ends]
    for process, _ in ends:
        process.join()
    return sum(written for written, _ in results), sum(failed for _, failed in results)


def _write(model: type[Attempt], quiz: int, user: int, start: Any, told: Connection) -> None:
    connection.ensure_connection()
    told.send(None)
    start.wait()
    written = failed = 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            model._default_manager.create(
                quiz_id=quiz, user_id=user, completed=True, completed_at=timezone.now(), score=50
            )
            written += 1
        except OperationalError:
            failed += 1
    connection.close()
    told.send((written, failed))


def _check(variant: Variant) -> None:
    """No update was lost: the numbers are those of the rows."""
    import livecounters as live

    there = variant.model._default_manager.filter(completed=True).count()
    if variant.name == "signal, F()":
        return  # its totals go on over the rounds
    for name, model in (("counted_of_user", Counted), ("told_of_user", Told)):
        if variant.model is model:
            kept = sum(int(n or 0) for n in live.counters[name].breakdown().values())
            assert kept == there, f"{name}: kept {kept}, there are {there}"
    assert Totals.objects.exists()
