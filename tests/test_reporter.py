"""What processes report, and what is seen of them together."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import DatabaseError, connections

from livecounters import samples
from livecounters.models import Sample
from livecounters.reporter import PREFIX, Reporter
from livecounters.telemetry import LAG, Tally

pytestmark = pytest.mark.django_db

START = 1_700_000_040.0  # a whole minute
MINUTE = 60


class Process:
    def __init__(self) -> None:
        self.tally = Tally()
        self.reporter = Reporter(self.tally)


def said(minute: float) -> dict[str, float]:
    return {name: one.total for name, one in samples.totals(PREFIX, int(minute)).items()}


def test_processes_are_seen_together() -> None:
    one, other = Process(), Process()
    for process, frames in ((one, 5), (other, 7)):
        process.reporter.visit(START + 1)
        process.tally.add("frames", frames)
        process.tally.add("sockets", 2)
        process.tally.peak(LAG, frames / 10)
    assert not Sample.objects.exists()

    one.reporter.visit(START + MINUTE + 1)
    other.reporter.visit(START + MINUTE + 9)

    assert said(START) == {"frames": 12, "sockets": 4, LAG: 1.2}
    assert samples.totals(PREFIX, int(START))[LAG].high == 0.7


def test_a_process_reports_once_a_minute_and_only_what_is_new(
    django_assert_num_queries: Any,
) -> None:
    process = Process()
    process.reporter.visit(START)
    process.tally.add("frames", 5)
    process.tally.add("sockets")
    process.reporter.visit(START + MINUTE)
    process.tally.add("frames", 2)
    with django_assert_num_queries(0):
        process.reporter.visit(START + MINUTE + 50)

    process.reporter.visit(START + 2 * MINUTE)

    assert said(START) == {"frames": 5, "sockets": 1}
    assert said(START + MINUTE) == {"frames": 2, "sockets": 1}


def test_who_has_nothing_to_say_writes_nothing(django_assert_num_queries: Any) -> None:
    process = Process()
    with django_assert_num_queries(0):
        for minute in range(5):
            process.reporter.visit(START + minute * MINUTE)


def test_at_its_end_a_process_tells_the_rest() -> None:
    process = Process()
    process.reporter.visit(START)
    process.tally.add("frames", 5)
    process.tally.add("sockets")

    process.reporter.flush(START + 10)

    # Who takes its sockets over reports them within this minute.
    assert said(START) == {"frames": 5}


def test_what_could_not_be_written_is_told_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    process = Process()
    process.reporter.visit(START)
    process.tally.add("frames", 5)

    def fail(*given: Any) -> None:
        raise DatabaseError("away")

    with monkeypatch.context() as patch:
        patch.setattr(samples, "report", fail)
        process.reporter.visit(START + MINUTE)
        process.reporter.visit(START + 2 * MINUTE)
    process.reporter.visit(START + 3 * MINUTE)

    assert said(START + 2 * MINUTE) == {"frames": 5}
    assert len(caplog.records) == 1


@pytest.mark.django_db(transaction=True)
def test_processes_that_report_at_once_lose_nothing() -> None:
    processes = [Process() for _ in range(4)]
    for process in processes:
        process.reporter.visit(START)
        process.tally.add("frames", 3)
        process.tally.add("slow_closes", 1)

    def report(process: Process) -> None:
        try:
            process.reporter.visit(START + MINUTE)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=report, args=(process,)) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert said(START) == {"frames": 12, "slow_closes": 4}
