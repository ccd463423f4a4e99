"""``live.emit()``: written with the caller's transaction, and under one key only once."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection, connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import livecounters as live
from livecounters import feed, folding, forgetting, installation, retention, timeline
from livecounters.exceptions import UnknownName, Unrecordable
from livecounters.feed import database
from livecounters.forgetting import Person
from livecounters.models import ActivityEvent, EventSource
from livecounters.models.events import UNTOLD
from livecounters.recording import moment, record
from livecounters.registry import registry
from livecounters.testing import assert_counter, captured_frames, verify
from tests.host import practice
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 3, 11, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    with practice.declared():
        yield


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


def events() -> int:
    return ActivityEvent.objects.count()


def texts() -> list[str]:
    feed.number()
    return [event.text for event in timeline.newest(99)][::-1]


# What is written


def test_an_event(ada: User) -> None:
    event = live.emit("session_completed", actor=ada, data={"score": 61, "mode": "audio"}, at=NOON)

    assert ActivityEvent.objects.get() == event
    event.refresh_from_db()
    assert (event.kind, event.actor_model, event.actor) == (
        "host.session_completed",
        "auth.user",
        str(ada.pk),
    )
    assert (event.data, event.at, event.seq) == ({"score": 61, "mode": "audio"}, NOON, None)
    assert (event.target, event.target_model, event.target_label) == (None, "", "")
    assert texts() == ["ada finished a session with 61 points"]
    assert not EventSource.objects.exists()


def test_a_little_is_enough(ada: User) -> None:
    before = timezone.now()
    event = live.emit("host.session_completed", actor=ada.pk)

    assert before <= event.at <= timezone.now()
    assert texts() == ["ada finished a session with  points"]


def test_a_target(ada: User, quiz: Quiz) -> None:
    for target in (quiz, quiz.pk, str(quiz.pk)):
        event = live.emit("quiz_rated", actor=ada, target=target)
        assert (event.target_model, event.target) == ("host.quiz", str(quiz.pk))
    quiz.delete()

    assert texts() == ["ada rated Fractions"] * 3
    event = live.emit("session_completed", actor=ada, target=ada)
    assert (event.target_model, event.target, event.target_label) == (
        "auth.user",
        str(ada.pk),
        "ada",
    )


@pytest.mark.parametrize("nobody", [None, AnonymousUser()])
def test_by_nobody(nobody: Any) -> None:
    # Told, as nobody is named; counted only, as somebody is.
    live.emit("imported", actor=nobody)
    event = live.emit("session_completed", actor=nobody)

    assert (event.actor, event.actor_model, event.seq) == (None, "", UNTOLD)
    assert texts() == ["An import is done"]
    assert_counter("sessions_today", 1)
    with pytest.raises(Unrecordable, match='arrived is anonymous="skip"; give an actor='):
        live.emit("arrived")


def test_muted(ada: User) -> None:
    with live.muted():
        live.emit("session_completed", actor=ada)
    assert texts() == []
    assert_counter("sessions", 1, of=ada)

    live.emit("session_completed", actor=ada)
    assert len(texts()) == 1


@pytest.mark.parametrize(
    ("name", "given", "about", "text"),
    [
        ("quiz_completed", {}, "name", "quiz_completed is told by the rows of Attempt: save one."),
        ("arrived", {"actor": "x"}, "actor", "actor='x': give a user or the key of one."),
        ("arrived", {"actor": User()}, "actor", "actor=<User: > is not saved yet."),
        ("arrived", {"actor": Quiz(pk=1)}, "actor", "actor=<Quiz: Quiz object (1)>: give a user"),
        ("arrived", {"actor": 1, "target": 5}, "target", "arrived does not say of which model"),
        (
            "imported",
            {"target": Quiz()},
            "target",
            "target=<Quiz: Quiz object (None)> is not saved",
        ),
        ("imported", {"target": User(pk=1)}, "target", "target=<User: > is no Quiz."),
        ("imported", {"target": 404}, "target", "There is no Quiz 404."),
        ("imported", {"data": {"all": 1}}, "data", "imported has no 'all' in its data=; known are"),
        ("imported", {"key": ""}, "key", "key='': give a text that is not empty."),
        ("imported", {"key": 5}, "key", "key=5: give a text that is not empty."),
        ("imported", {"at": "today"}, "at", "at='today': give a datetime."),
        ("imported", {"at": NOON.replace(tzinfo=None)}, "at", "at=datetime.datetime(2026, 3, 11"),
    ],
)
def test_what_is_refused(name: str, given: Any, about: str, text: str) -> None:
    with pytest.raises(Unrecordable) as caught:
        live.emit(name, **given)
    assert caught.value.about == about
    assert str(caught.value).startswith(text)
    assert isinstance(caught.value, ValueError)
    assert events() == 0
    assert not EventSource.objects.exists()


def test_a_name_that_nobody_declares() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'session_completed'"):
        live.emit("session_complete")


# Once


def test_a_key_is_written_once(ada: User) -> None:
    first = live.emit("session_completed", actor=ada, data={"score": 61}, key="k", at=NOON)
    again = live.emit("session_completed", actor=ada.pk, data={"score": 99}, key="k")

    assert again == first
    assert (again.data, again.at) == ({"score": 61}, NOON)
    assert events() == 1
    assert_counter("points", 61, of=ada)


def test_whose_key_of_what(ada: User) -> None:
    bob = User.objects.create(username="bob")
    for _ in range(2):
        for key in ("k", "K", "k ", "ä", "a\u0308", "\ud800", "k" * 1000, "/", "~1"):
            live.emit("session_completed", actor=ada, key=key)
        live.emit("session_completed", actor=bob, key="k")
        live.emit("session_completed", key="k")
        live.emit("arrived", actor=ada, key="k")

    assert events() == 9 + 3


def test_without_a_key_each_counts(ada: User) -> None:
    for _ in range(3):
        live.emit("session_completed", actor=ada)

    assert_counter("sessions", 3, of=ada)


def test_whether_it_is_fresh(ada: User) -> None:
    entry = registry.activities.get("session_completed")

    assert [record(entry, actor=ada, key="k").fresh for _ in range(3)] == [True, False, False]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(min_size=1, max_size=3)), max_size=12))
def test_as_often_as_there_are_keys(given: list[tuple[str, str]]) -> None:
    ActivityEvent.objects.all().delete()
    EventSource.objects.all().delete()
    people = {name: User.objects.get_or_create(username=name)[0] for name in "ab"}

    found = [live.emit("arrived", actor=people[who], key=key).pk for who, key in given]

    assert events() == len(set(found)) == len(set(given))
    assert len(set(zip(given, found, strict=True))) == len(set(given))


def test_a_replay_after_the_event_was_pruned(ada: User) -> None:
    first = live.emit("session_completed", actor=ada, data={"score": 61}, key="k", at=NOON)
    feed.number()
    ActivityEvent.objects.all().delete()

    again = live.emit("session_completed", actor=ada, key="k", at=NOON)

    assert again.pk == first.pk
    assert events() == 0


def test_pruned_by_retention_it_still_counts_once(ada: User) -> None:
    live.emit("session_completed", actor=ada, key="k", at=NOON - dt.timedelta(days=200))
    feed.number()
    retention.prune("default", NOON)

    assert events() == 0
    live.emit("session_completed", actor=ada, key="k", at=NOON)
    assert_counter("sessions", 1, of=ada)


# Transactions


def test_it_is_rolled_back_with_its_transaction(ada: User) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        live.emit("session_completed", actor=ada, key="k")
        raise ZeroDivisionError
    assert events() == 0
    assert_counter("sessions", 0, of=ada)

    live.emit("session_completed", actor=ada, key="k")
    assert_counter("sessions", 1, of=ada)


def test_what_is_refused_does_no_harm_to_the_transaction(ada: User) -> None:
    with transaction.atomic():
        with pytest.raises(Unrecordable):
            live.emit("session_completed", actor=ada, key="k", data={"score": "many"})
        live.emit("session_completed", actor=ada, key="k", data={"score": 1})

    assert_counter("points", 1, of=ada)


def test_how_many_statements(ada: User, django_assert_max_num_queries: Any) -> None:
    # A savepoint and its end among them; a trigger is none.
    with django_assert_max_num_queries(3):
        live.emit("session_completed", actor=ada)
    with django_assert_max_num_queries(6):
        live.emit("session_completed", actor=ada, key="k")
    with django_assert_max_num_queries(5):
        live.emit("session_completed", actor=ada, key="k")


# Counters


def test_numbers_over_what_was_recorded(ada: User, quiz: Quiz) -> None:
    bob = User.objects.create(username="bob")
    for score, person in ((40, ada), (80, ada), (90, bob)):
        data = {"score": score, "minutes": 10, "speed": score / 7}
        live.emit("session_completed", actor=person, data=data)
    live.emit("session_completed", actor=ada, data={"minutes": 5})
    for worth in ("12.50", Decimal("0.25")):
        live.emit("quiz_rated", actor=ada, target=quiz, data={"worth": worth})

    def right() -> None:
        assert_counter("sessions", 3, of=ada)
        assert_counter("session_score", 60.0, of=ada)
        assert_counter("points", 120, of=ada)
        assert_counter("points", 90, of=bob)
        assert_counter("good_sessions", 1, of=ada)
        assert_counter("sessions_today", 4)
        assert_counter("practised", 35)
        assert live.counters["fastest"].value() == pytest.approx(90 / 7, abs=1e-6)
        assert_counter("ratings", 2, of=quiz)
        assert_counter("worth", Decimal("12.75"), of=quiz)

    right()
    folding.fold("default")
    right()
    verify()


def test_what_was_recorded_before_it_was_counted(ada: User) -> None:
    live.emit("session_completed", actor=ada, data={"score": 5})
    extra = type(
        "Extra",
        (live.LiveSite,),
        {
            "later": live.Sum(
                "data__score", events=practice.PracticeLive.session_completed, per="actor"
            )
        },
    )
    registry.add_site(extra)
    try:
        installation.sync("default")
        live.emit("session_completed", actor=ada, data={"score": 6})
        assert live.counters["later"].value(of=ada) == 11
    finally:
        registry.remove(extra)


def test_it_is_the_progress_of_a_person(ada: User) -> None:
    for days in (0, 0, 1, 2):
        at = NOON - dt.timedelta(days=days)
        live.emit("session_completed", actor=ada, data={"score": 80}, at=at)

    found = live.progress(ada, NOON)["sessions"]

    assert (found.total, found.today, found.week, found.average) == (4, 2, 4, 80.0)
    assert (found.streak.current, found.goals["day"].percent) == (3, 66.7)
    assert (found.goals["week"].target, found.next_milestone) == (15, 10)
    assert live.progress(ada, NOON)["points"].total == 320


def test_numbers_follow_the_person_who_is_forgotten(ada: User) -> None:
    live.emit("session_completed", actor=ada, data={"score": 8}, key="k")
    live.emit("arrived", actor=ada, key="k")
    told = Attempt.objects.create(
        quiz=Quiz.objects.create(title="x"), user=ada, completed=True, completed_at=NOON
    )
    sources = EventSource.objects.exclude(event=None)
    assert sources.count() == 2

    done = forgetting.forget(Person.of(ada))

    assert told.pk
    assert done.acted >= 2
    assert "host.sessions" in done.counters
    assert_counter("sessions", 0, of=ada)
    assert_counter("practised", 0)
    assert_counter("sessions_today", 1)
    # Nothing that could be guessed leads from the person to the events.
    assert not sources.exists()
    assert not ActivityEvent.objects.filter(actor=str(ada.pk)).exists()
    verify()


# At once


def at_once(number: int, job: Callable[[int], Any]) -> list[Any]:
    """What a job answers in so many threads, which all begin together."""
    found: list[Any] = [None] * number
    begin = threading.Barrier(number)

    def run(n: int) -> None:
        try:
            begin.wait()
            found[n] = job(n)
        except BaseException as error:
            found[n] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_instant(ada: User) -> None:
    for round in range(5):
        found = at_once(
            6,
            lambda n, key=str(round): (
                live.emit("session_completed", actor=ada.pk, data={"score": n}, key=key).pk
            ),
        )
        assert len(set(found)) == 1, found

    assert events() == 5
    assert_counter("sessions", 5, of=ada)
    folding.fold("default")
    assert_counter("sessions", 5, of=ada)


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_one_that_is_rolled_back(ada: User) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("one writer")
    claimed = threading.Event()
    others: list[Any] = []

    def other() -> None:
        try:
            claimed.wait(10)
            others.append(live.emit("session_completed", actor=ada.pk, key="k").pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=other) for _ in range(3)]
    for thread in threads:
        thread.start()
    with transaction.atomic(using=database()):
        live.emit("session_completed", actor=ada, key="k")
        claimed.set()
        transaction.set_rollback(True)
    for thread in threads:
        thread.join()

    assert len(others) == 3
    assert len(set(others)) == 1
    assert_counter("sessions", 1, of=ada)


@pytest.mark.django_db(transaction=True)
def test_who_reads_as_it_was_does_not_count_it_again(ada: User) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("one writer")
    isolate = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
    answered: list[Any] = []
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "mysql":
                # Of the next transaction; elsewhere of the present one.
                cursor.execute(isolate)
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(isolate)
            assert events() == 0  # From here on it reads as it is now.
            (first,) = at_once(1, lambda n: live.emit("arrived", actor=ada.pk, key="k", at=NOON))
            answered.append(live.emit("arrived", actor=ada, key="k"))
    except Exception as error:
        # A database may say instead that somebody else was there first.
        assert type(error).__name__ == "OperationalError", error

    assert answered in ([], [first])
    assert [event.at for event in answered] in ([], [NOON])
    assert events() == 1


# From anywhere


@pytest.mark.django_db(transaction=True)
def test_from_async_code(ada: User) -> None:
    async def work() -> list[Any]:
        given: dict[str, Any] = {"actor": ada, "data": {"score": 3}}
        jobs = [live.aemit("session_completed", key=f"{n % 3}", **given) for n in range(9)]
        found = [event.pk for event in await asyncio.gather(*jobs)]
        await sync_to_async(connections.close_all)()
        return found

    assert len(set(asyncio.run(work()))) == 3
    assert_counter("points", 9, of=ada)


@pytest.mark.django_db(transaction=True)
def test_from_threads(ada: User) -> None:
    found = at_once(3, lambda n: live.emit("session_completed", actor=ada.pk, key=str(n)).pk)

    assert len(set(found)) == 3
    assert_counter("sessions", 3, of=ada)


def test_open_pages_are_told(ada: User) -> None:
    with captured_frames("counter:sessions_today", "feed:session_completed") as page:
        live.emit("session_completed", actor=ada, data={"score": 7})

    assert page.values["counter:sessions_today"] == 1
    (told,) = page.events("feed:session_completed")
    assert told["text"] == "ada finished a session with 7 points"


def test_a_site_without_time_zones(settings: Any) -> None:
    settings.USE_TZ = False
    naive = timezone.make_naive(NOON)

    for at in (NOON, naive):
        assert moment(at) == naive
    assert timezone.is_naive(moment(None))
