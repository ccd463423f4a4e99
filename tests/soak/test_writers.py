"""Many writers at once, with everything else at work beside them."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections
from django.utils import timezone

import livecounters as live
from livecounters import audit, feed, folding, settling
from livecounters.exceptions import Busy
from livecounters.measures import declared_measures
from livecounters.models import ActivityEvent, Delta, Mark, Suspect
from tests.host.models import Attempt, Quiz, Sale, Tag
from tests.oracle import assert_audited

pytestmark = pytest.mark.django_db(transaction=True)

WRITER = """
import random, sys, time
import django; django.setup()
from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone
from tests.host.models import Attempt, Quiz, Sale, Tag

seed, seconds = int(sys.argv[1]), float(sys.argv[2])
chance = random.Random(seed)
quizzes = list(Quiz.objects.order_by("pk"))
tags = list(Tag.objects.order_by("pk"))
end = time.monotonic() + seconds

# InnoDB's foreign keys lock the quiz of a row, and a scan locks what it passes: a host that takes such
# locks in any order waits for itself, with or without us. So one quiz to a transaction, and rows by key.
def mine(**given):
    own = Attempt.objects.filter(note=str(seed), **given)
    return Attempt.objects.filter(pk__in=list(own.values_list("pk", flat=True)))

def write(quiz):
    what = chance.randrange(7)
    if what < 3:
        Attempt.objects.bulk_create([
            Attempt(quiz=quiz, completed=chance.random() < 0.8, completed_at=timezone.now(),
                    score=chance.choice([None, 5, 50, 100]), note=str(seed))
            for _ in range(chance.randrange(1, 6))
        ])
    elif what == 3:
        mine(score=5).update(score=F("score") + 1, quiz=quiz)
    elif what == 4:
        mine(score=50).update(completed=chance.random() < 0.5)
    elif what == 5:
        for row in mine(score=6)[:3]:
            row.delete()
    else:
        Sale.objects.create(price="1.25", quantity=chance.randrange(4), currency="EUR")

def change_another_table():
    # In a transaction of its own: a host that changes two such rows at once may wait for itself.
    quiz, tag = chance.choice(quizzes), chance.choice(tags)
    what = chance.randrange(3)
    if what == 0:
        Quiz.objects.filter(pk=quiz.pk).update(published=chance.random() < 0.5)
    elif what == 1:
        quiz.tags.add(tag)
    else:
        Quiz.tags.through.objects.filter(quiz=quiz, tag=tag).delete()

print("ready", flush=True)
sys.stdin.readline()
done = 0
while time.monotonic() < end:
    try:
        with transaction.atomic():
            if chance.random() < 0.2:
                change_another_table()
            else:
                quiz = chance.choice(quizzes)
                for _ in range(chance.randrange(1, 4)):
                    write(quiz)
            if chance.random() < 0.1:
                transaction.set_rollback(True)
        done += 1
    except OperationalError as error:
        # SQLite has one writer, and a time limit.
        if "locked" not in str(error):
            raise
    if len(sys.argv) > 3:
        time.sleep(float(sys.argv[3]))
print(done, flush=True)
"""


@contextmanager
def writers(
    number: int, seconds: float, environment: Mapping[str, str], pause: float = 0.0
) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that write; none may fail."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(seed), str(seconds), str(pause)],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(number)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        yield started
        for process in started:
            assert process.wait(seconds + 60) == 0
    finally:
        for process in started:
            process.kill()
            process.communicate()


def patiently(job: Any) -> Any:
    """SQLite's writers may keep the file for longer than the time limit."""
    while True:
        try:
            return job()
        except OperationalError as error:
            if "locked" not in str(error):
                raise


@pytest.fixture(autouse=True)
def quizzes() -> list[Quiz]:
    for slug in ("a", "b"):
        Tag.objects.create(slug=slug)
    return [Quiz.objects.create(title=str(n)) for n in range(4)]


def beside(processes: list[subprocess.Popen[str]]) -> None:
    """The audit, a rebuild, folding and reading, while the processes run."""
    chance = random.Random(1)
    measures = declared_measures()
    while any(process.poll() is None for process in processes):
        measure = chance.choice(measures)
        found = patiently(lambda: audit.verify(measure))  # noqa: B023
        assert not found.wrong, (measure.model, measure.scope, found.some[:3])
        if chance.random() < 0.3:
            try:
                corrected = patiently(lambda: audit.repair(measure))  # noqa: B023
                # What two did at once is a difference until it is settled.
                assert corrected == 0 or measure.joined, (measure.model, measure.scope)
            except Busy:
                pass
        patiently(lambda: folding.fold("default"))
        patiently(lambda: settling.settle("default"))
        patiently(feed.number)


def settle() -> None:
    # As the pump does, which looks again and again.
    while Mark.objects.exists() or Suspect.objects.exists():
        settling.settle("default")
    assert_audited()
    folding.fold("default")
    assert not Delta.objects.exists()
    assert_audited()
    feed.number()
    kind = ActivityEvent.objects.filter(kind="host.perfect")
    # Nobody tells a row twice, and every row that has ever matched is told.
    assert kind.count() >= Attempt.objects.filter(completed=True, score=100).count()
    numbers = list(ActivityEvent.objects.filter(seq__gt=0).values_list("seq", flat=True))
    assert len(numbers) == len(set(numbers))


def test_writers_with_an_audit_beside_them(process_environment: dict[str, str]) -> None:
    with writers(2, 2.5, process_environment, 0.01) as processes:
        beside(processes)
    settle()


@pytest.mark.soak
def test_many_writers_for_long(process_environment: dict[str, str]) -> None:
    number = 2 if connection.vendor == "sqlite" else 8
    with writers(number, 60, process_environment) as processes:
        beside(processes)
    assert Attempt.objects.exists()
    settle()


# A pump that is killed


def killed_pumps(times: int, environment: Mapping[str, str]) -> None:
    chance = random.Random(2)
    pump: subprocess.Popen[bytes] | None = None
    with writers(1, 2 * times + 1, environment, 0.02) as processes:
        try:
            for _ in range(times):
                pump = subprocess.Popen(
                    [sys.executable, "-m", "django", "livecounters", "run"], env=dict(environment)
                )
                # A random moment of its life, the start included.
                time.sleep(chance.uniform(0.3, 2.0))
                assert pump.poll() is None
                pump.send_signal(signal.SIGKILL)
                pump.wait()
        finally:
            if pump is not None and pump.poll() is None:
                pump.kill()
                pump.wait()
        assert processes
    settle()


def test_a_pump_that_is_killed(process_environment: dict[str, str]) -> None:
    killed_pumps(3, process_environment)


@pytest.mark.soak
def test_a_pump_that_is_killed_often(process_environment: dict[str, str]) -> None:
    killed_pumps(100, process_environment)


# Two transactions, in any order


LEVELS = {
    "postgresql": ["READ COMMITTED", "REPEATABLE READ"],
    "mysql": ["READ COMMITTED", "REPEATABLE READ"],
}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer")
def test_all_interleavings_of_two_transactions(quizzes: list[Quiz]) -> None:
    """On single tables: exact, and neither waits for the other or dies because of us."""
    first, second = quizzes[:2]
    people = [User.objects.create(username=name) for name in ("ada", "bob")]
    pair = [connection.copy(), connection.copy()]
    orders = sorted(set(itertools.permutations([0, 0, 0, 1, 1, 1])))
    try:
        for level, order in itertools.product(LEVELS[connection.vendor], orders):
            Attempt.objects.all().delete()
            rows = Attempt.objects.bulk_create(
                [
                    Attempt(
                        quiz=first, user=p, completed=True, completed_at=timezone.now(), score=9
                    )
                    for p in people
                ]
            )
            pks = [row.pk for row in Attempt.objects.order_by("pk")]
            assert len(rows) == len(pks) == 2
            steps = [
                [
                    f"UPDATE host_attempt SET quiz_id = {second.pk} WHERE id = {pk}",
                    "INSERT INTO host_attempt (quiz_id, user_id, completed, score, note) "
                    f"VALUES ({second.pk}, {people[n].pk}, TRUE, {n + 3}, '')",
                    f"DELETE FROM host_attempt WHERE id = {pk}",
                ]
                for n, pk in enumerate(pks)
            ]
            _run(pair, steps, order, level)
            if order[0]:
                folding.fold("default")
            assert live.counters["attempts"].value() == 2
            assert live.counters["per_quiz"].breakdown() == {str(second.pk): 2}
            assert live.counters["learners_ever"].value() == 2
            assert live.counters["score_max"].value() == 4
        assert_audited()
    finally:
        for one in pair:
            one.close()


def _run(pair: list[Any], steps: list[list[str]], order: tuple[int, ...], level: str) -> None:
    for one in pair:
        with one.cursor() as cursor:
            if one.vendor == "postgresql":
                cursor.execute(f"BEGIN ISOLATION LEVEL {level}")
                cursor.execute("SET LOCAL statement_timeout = '5s'")
            else:
                cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
                cursor.execute("SET SESSION innodb_lock_wait_timeout = 5")
                cursor.execute("BEGIN")
    left = [list(mine) for mine in steps]
    for n in order:
        with pair[n].cursor() as cursor:
            cursor.execute(left[n].pop(0))
            if not left[n]:
                cursor.execute("COMMIT")


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer")
def test_many_writers_on_one_group(quizzes: list[Quiz]) -> None:
    """One hot group: nobody deadlocks, nobody is lost."""
    errors: list[BaseException] = []

    def write(n: int) -> None:
        try:
            for _ in range(8):
                row = Attempt.objects.create(
                    quiz=quizzes[0], completed=True, completed_at=timezone.now(), score=n
                )
                row.score = n + 1
                row.save()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        folding.fold("default")
    for thread in threads:
        thread.join()

    assert errors == []
    assert live.counters["per_quiz"].value(of=quizzes[0]) == 16 * 8
    settle()
    assert not Sale.objects.exists()
