"""Folding beside readers, writers and other folders; what a reader sees is always exact."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, close_old_connections, connection, connections, transaction
from django.utils import timezone

import livecounters as live
from livecounters import folding, ledger
from livecounters.models import Bucket, Delta
from livecounters.windows import Grain
from tests.host.models import Attempt, Quiz
from tests.oracle import assert_audited

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


def complete(quiz: Quiz, number: int = 1) -> None:
    Attempt.objects.bulk_create(
        [
            Attempt(quiz=quiz, completed=True, completed_at=timezone.now(), score=n)
            for n in range(number)
        ]
    )


def in_threads(*jobs: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_a_fold_moves_and_changes_nothing(quiz: Quiz) -> None:
    complete(quiz, 3)
    before = live.counters["attempts"].value()

    changed = folding.fold("default")

    measure = live.counters["attempts"].measure.key
    assert changed[measure] == {""}
    assert live.counters["attempts"].value() == before == 3
    grains = Bucket.objects.filter(measure=measure).values_list("grain", "count")
    assert sorted(grains) == [(int(grain), 3) for grain in Grain]
    assert folding.fold("default") == {}


def test_a_rolled_back_fold_never_happened(quiz: Quiz) -> None:
    complete(quiz)
    pending = folding.pending("default")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        folding.fold("default")
        raise ZeroDivisionError

    assert folding.pending("default") == pending
    assert not Bucket.objects.exists()
    assert_audited()


def test_it_goes_on_until_nothing_waits(quiz: Quiz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "FOLD_BATCH", 3)
    for _ in range(5):
        complete(quiz)

    folding.fold("default")

    assert not Delta.objects.exists()
    assert_audited()


def test_deltas_of_another_release_are_left_alone() -> None:
    Delta.objects.create(measure="unknown", scope="", member="", at=None, count=1, total=0)

    assert folding.fold("default") == {}
    assert folding.pending("default") == 1


def test_beside_writers_readers_and_folders(quiz: Quiz) -> None:
    """Writers only add, so what a reader sees never falls, whatever the folders do."""
    done = threading.Event()
    seen: list[Any] = []

    def write() -> None:
        for _ in range(25):
            complete(quiz, 2)

    def fold() -> None:
        while not done.is_set():
            try:
                folding.fold("default")
            except OperationalError as error:
                # On SQLite a writer may keep the file longer than the time limit.
                assert connection.vendor == "sqlite", error
            close_old_connections()

    def look() -> None:
        while not done.is_set():
            seen.append(live.counters["attempts"].value())

    def work() -> None:
        try:
            in_threads(write, write)
        finally:
            done.set()

    in_threads(work, fold, fold, look)

    assert seen == sorted(seen)
    assert live.counters["attempts"].value() == 100
    folding.fold("default")
    assert_audited()


def test_what_is_new_since(quiz: Quiz) -> None:
    complete(quiz)
    changed, newest, pending = folding.since("default", 0)
    assert live.counters["attempts"].measure.key in changed
    assert pending == folding.pending("default")

    assert folding.since("default", newest) == ({}, newest, pending)
    folding.fold("default")
    assert folding.since("default", newest) == ({}, newest, 0)


# Deaths


def killed_at(statement: int) -> bool:
    """Fold in a process that is killed before its n-th statement; whether it got so far."""
    connections.close_all()
    with warnings.catch_warnings():
        # No thread of ours runs now.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        seen = 0

        def kill(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(kill):
                folding.fold("default", wait=True)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_killed_between_any_two_statements(quiz: Quiz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "FOLD_BATCH", 20)
    statement, deaths = 1, 0
    while True:
        complete(quiz, 2)
        Attempt.objects.filter(score=1).update(score=7)
        if not killed_at(statement):
            break
        deaths += 1
        assert live.counters["attempts"].value() == 2 * statement
        assert live.counters["score_max"].value() == 7
        assert live.counters["score_sum"].value() == 7 * statement
        statement += 1

    assert deaths > 10
    assert_audited()
    folding.fold("default")
    assert not Delta.objects.exists()
    assert_audited()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer")
def test_a_lower_id_may_be_committed_later(quiz: Quiz) -> None:
    written, go_on = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            complete(quiz, 2)
            written.set()
            assert go_on.wait(30)

    def early() -> None:
        assert written.wait(30)
        try:
            complete(quiz, 3)
            folding.fold("default")
            assert not Delta.objects.exists()
            assert live.counters["attempts"].value() == 3
        finally:
            go_on.set()

    in_threads(late, early)

    assert live.counters["attempts"].value() == 5
    folding.fold("default")
    assert not Delta.objects.exists()
    assert_audited()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a server is needed to hang up")
def test_a_connection_that_breaks_in_the_middle(
    quiz: Quiz, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "FOLD_BATCH", 20)
    for statement in range(1, 12):
        complete(quiz, 2)
        other = connection.copy()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        seen = 0

        def hang_up(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == statement:  # noqa: B023
                with other.cursor() as cursor:  # noqa: B023
                    cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])  # noqa: B023
            return execute(sql, params, many, context)

        with pytest.raises(OperationalError), connection.execute_wrapper(hang_up):
            folding.fold("default")
        other.close()
        close_old_connections()
        connection.close()
        assert live.counters["attempts"].value() == 2 * statement

    folding.fold("default")
    assert not Delta.objects.exists()
    assert_audited()


def test_a_site_without_a_pump_folds_when_it_reads(
    quiz: Quiz, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "FOLD_ON_READ", 3)
    for _ in range(5):
        complete(quiz)

    assert live.counters["attempts"].value() == 5

    assert not Delta.objects.exists()
    assert live.counters["attempts"].value() == 5
    assert_audited()
