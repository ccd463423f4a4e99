"""Installing beside a host at work: backfills, releases side by side, deaths, locks that last."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.db.models import Q
from django.utils import timezone

import livecounters as live
from livecounters import capture, feed, folding, installation, ledger, summands
from livecounters.exceptions import Busy
from livecounters.measures import declared_measures, measure_of
from livecounters.models import ActivityEvent, Bucket, Delta, Lease, Measured, Member
from livecounters.registry import Registry
from livecounters.windows import Interval
from tests.beside import Beside
from tests.host.models import Attempt, Quiz
from tests.oracle import assert_audited

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


@pytest.fixture(autouse=True)
def _installed_again(quiz: Quiz) -> Any:
    yield
    installation.sync("default")


def fill(number: int, **given: Any) -> None:
    quiz = Quiz.objects.get()
    given = {"completed": True, "completed_at": timezone.now()} | given
    Attempt.objects.bulk_create(
        [Attempt(quiz=quiz, score=n % 100, **given) for n in range(number)], batch_size=1000
    )


def ready() -> set[str]:
    rows = Measured.objects.filter(ready=True)
    return {name for names in rows.values_list("names", flat=True) for name in names.split()}


# Releases

old, new = Registry(), Registry()


class Old(live.LiveModel):
    at = "completed_at"
    completed = live.Activity("{target} done", filter=Q(completed=True), anonymous="show")
    done = live.Count(filter=Q(completed=True))
    points = live.Sum("score")


class New(live.LiveModel):
    at = "completed_at"
    completed = live.Activity("{target} done", filter=Q(completed=True), anonymous="show")
    done = live.Count(filter=Q(completed=True))
    points = live.Sum("score", filter=Q(completed=True))
    quizzes = live.Count("quiz", distinct=True)


old.add(Attempt, Old)
new.add(Attempt, New)


def numbers(declared: Registry) -> list[int]:
    measures = sorted(declared_measures(declared), key=lambda measure: measure.key)
    asks = [summands.Ask(measure, None, Interval(None, None)) for measure in measures]
    return [
        sum(t.count + t.total + t.members for t in tallies.values())
        for tallies in ledger.read(asks).answers
    ]


def counted(declared: Registry) -> list[int]:
    """The same, from the source."""
    rows = list(Attempt.objects.values_list("completed", "score", "quiz"))
    done = [row for row in rows if row[0]]

    def total(rows: list[Any]) -> int:
        scored = [row[1] for row in rows if row[1] is not None]
        return len(scored) + sum(scored)

    by_key = {}
    for entry in declared.counters:
        by_key[measure_of(entry).key] = {
            "done": lambda: len(done),
            "points": lambda: total(rows if declared is old else done),
            "quizzes": lambda: len({row[2] for row in rows}),
        }[entry.name]()
    return [by_key[key] for key in sorted(by_key)]


def assert_right() -> None:
    for declared in (old, new):
        assert numbers(declared) == counted(declared)


def told() -> int:
    return ActivityEvent.objects.filter(kind="host.completed").count()


def test_two_releases_in_any_order(quiz: Quiz) -> None:
    fill(5)
    for number, release in enumerate([old, new, old, old, new, new, old, new]):
        installation.sync("default", release)
        assert_right()
        fill(2 + number)
        Attempt.objects.filter(score=1).update(completed=False)
        assert_right()
        folding.fold("default", declared=old if number % 2 else new)
        assert_right()
        folding.fold("default", declared=release)
        assert_right()
        Attempt.objects.filter(score=1).update(completed=True)

    assert told() == Attempt.objects.count()
    # What both declare alike was never counted anew.
    feed.number()
    kept = set(Measured.objects.exclude(installation="").values_list("measure", flat=True))
    assert {measure.key for measure in declared_measures(new)} <= kept
    assert (
        not {m.key for m in declared_measures(old)} - {m.key for m in declared_measures(new)} & kept
    )


def test_two_releases_at_work_at_once(quiz: Quiz) -> None:
    fill(20)

    def release(declared: Registry) -> Callable[[], None]:
        def work() -> None:
            installation.sync("default", declared)
            folding.fold("default", declared=declared)

        return work

    wrong: list[Any] = []

    def look() -> None:
        # Rows are only added, so whatever is read falls never.
        found = [numbers(old), numbers(new)]
        if wrong and any(
            a < b for x, y in zip(found, wrong[-1], strict=True) for a, b in zip(x, y, strict=True)
        ):
            raise AssertionError((wrong[-1], found))
        wrong.append(found)

    with Beside(look), Beside(release(old)) as one, Beside(release(new)) as two:
        for _ in range(15):
            fill(3)
        end = time.monotonic() + 20
        while min(one.times, two.times) < 3 and time.monotonic() < end:
            fill(1)

    assert_right()
    for declared in (old, new):
        installation.sync("default", declared)
        assert_right()
    assert told() == Attempt.objects.count()
    feed.number()
    seqs = list(ActivityEvent.objects.filter(seq__gt=0).values_list("seq", flat=True))
    assert len(seqs) == len(set(seqs))


def test_what_is_declared_no_more_goes(quiz: Quiz) -> None:
    fill(3)
    installation.sync("default", old)
    folding.fold("default", declared=old)
    installation.sync("default", new)

    gone = {m.key for m in declared_measures(old)} - {m.key for m in declared_measures(new)}
    assert gone
    for model in (Delta, Bucket, Member, Measured):
        assert not model._default_manager.filter(measure__in=gone).exists()


# Backfill


def test_a_backfill_beside_writers_and_readers(quiz: Quiz) -> None:
    capture.detach("default", ["host_attempt"])
    fill(3000)
    progress: list[tuple[int, int]] = []
    seen: list[Any] = []

    def look() -> None:
        seen.append((live.counters["attempts"].value(), live.counters["per_quiz"].value(of=quiz)))

    with Beside(lambda: fill(1)) as writer, Beside(look):
        report = installation.sync("default", progress=lambda n, d, a: progress.append((d, a)))

    assert not report.failed
    assert not report.unfinished
    assert "host.attempts" in report.backfilled
    assert progress
    assert all(done <= number for done, number in progress)
    assert seen == sorted(seen)
    assert writer.longest < 5
    assert_audited()


def test_detached_in_the_middle_it_is_not_in_force(quiz: Quiz) -> None:
    capture.detach("default", ["host_attempt"])
    fill(30)
    detached: list[str] = []

    def detach(names: str, done: int, number: int) -> None:
        if not detached:
            detached.extend(capture.detach("default", ["host_attempt"]))

    installation.sync("default", progress=detach)

    assert detached == ["host_attempt"]
    assert "host.attempts" not in ready()
    fill(3)
    assert_audited()
    installation.sync("default")
    assert "host.attempts" in ready()
    assert_audited()


def test_two_at_once(quiz: Quiz) -> None:
    capture.detach("default")
    fill(500)
    reports: list[installation.Report] = []

    def sync() -> None:
        try:
            reports.append(installation.sync("default"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sync) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(reports) == 2
    assert not any(report.failed or report.unfinished for report in reports)
    done = [name for report in reports for name in report.backfilled]
    assert len(done) == len(set(done))
    assert_audited()


KILLED = """
import sys
import django; django.setup()
from livecounters import audit, installation
audit.PORTION = 1

def progress(names, done, number):
    if "host.attempts" in names.split() and done < number:
        print("in the middle", flush=True)
        sys.stdin.read()

installation.sync("default", progress=progress)
print("to the end", flush=True)
"""


def test_killed_in_the_middle(
    quiz: Quiz, process_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "WAIT", 0)
    capture.detach("default", ["host_attempt"])
    fill(30)
    connection.close()
    with subprocess.Popen(
        [sys.executable, "-c", KILLED],
        env=process_environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"in the middle\n"
        process.kill()

    fill(3)
    assert_audited()
    assert "host.attempts" not in ready()
    # Who was killed has its turn for a while longer.
    report = installation.sync("default")
    assert [line for line in report.unfinished if line.startswith("host.attempts")]
    assert_audited()
    Lease.objects.update(expires_at=timezone.now())
    assert installation.ailing("default")
    installation.heal("default")

    assert "host.attempts" in ready()
    assert not installation.ailing("default")
    assert_audited()


def test_what_was_there_is_told_although_killed(quiz: Quiz) -> None:
    """Killed between installing and telling, the next sync tells."""
    capture.detach("default", ["host_attempt"])
    fill(3, user=User.objects.create(username="ada"))
    (watch,) = [w for w in capture.watches("default") if w.table == "host_attempt"]
    capture.install(capture.dialect_of("default"), watch)
    assert not ActivityEvent.objects.exists()

    for _ in range(2):
        installation.sync("default")

    assert ActivityEvent.objects.filter(kind="host.quiz_completed").count() == 3
    assert_audited()


# A transaction that does not end


@pytest.mark.parametrize("what", ["read", "written"])
def test_a_transaction_that_does_not_end(
    what: str, quiz: Quiz, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody queues for long behind an installation that cannot be."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's one writer is waited for by the connection's own timeout")
    if what == "read" and connection.vendor == "postgresql":
        pytest.skip("a reader is in nobody's way")
    monkeypatch.setattr(capture, "PAUSE", 0.01)
    monkeypatch.setattr(capture, "ATTEMPTS", 2)
    fill(3)
    capture.detach("default", ["host_attempt"])
    held, release = threading.Event(), threading.Event()

    def idle() -> None:
        try:
            with transaction.atomic():
                if what == "written":
                    Attempt.objects.filter(score=1).update(note="x")
                else:
                    list(Attempt.objects.all())
                held.set()
                release.wait(60)
        finally:
            connections.close_all()

    thread = threading.Thread(target=idle)
    thread.start()
    try:
        assert held.wait(10)
        with Beside(lambda: fill(1)) as writer:
            report = installation.sync("default")
    finally:
        release.set()
        thread.join()

    (failure,) = report.failed
    assert failure.startswith("host_attempt: in use by a transaction that does not end")
    assert writer.longest < 4
    assert_audited()
    assert not installation.sync("default").failed
    assert "host.attempts" in ready()
    assert_audited()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a reader is in nobody's way")
def test_triggers_are_taken_off_as_patiently(quiz: Quiz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "PAUSE", 0.01)
    monkeypatch.setattr(capture, "ATTEMPTS", 1)
    held, release = threading.Event(), threading.Event()

    def idle() -> None:
        try:
            with transaction.atomic():
                list(Attempt.objects.all())
                held.set()
                release.wait(60)
        finally:
            connections.close_all()

    thread = threading.Thread(target=idle)
    thread.start()
    try:
        assert held.wait(10)
        with (
            Beside(lambda: fill(1)) as writer,
            pytest.raises(Busy, match="does not end"),
        ):
            capture.detach("default", ["host_attempt"])
    finally:
        release.set()
        thread.join()

    assert writer.longest < 4
    assert "host.attempts" in ready()
    assert_audited()
