"""A place that is read off a ladder is the one that adding everything up would find."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

import livecounters as live
from livecounters import folding, places, ranking
from livecounters.models import Ladder, Measured
from livecounters.readers import Counter
from livecounters.registry import Registry, registry
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

NOW = timezone.now()
WINDOWS = (live.ever, live.today, live.this_week)


class Learning(live.LiveModel):
    at = "completed_at"

    sessions = live.Count(per="user")
    points = live.Sum("score", per="user")
    mean = live.Avg("score", per="user")


@pytest.fixture(scope="module")
def learned(bring_in_force: Callable[[Registry], None]) -> Iterator[None]:
    registry.add(Attempt, Learning)
    try:
        bring_in_force(registry)
        yield
    finally:
        registry.remove(Learning)


@pytest.fixture(autouse=True)
def declared(db: None, learned: None, bring_in_force: Callable[[Registry], None]) -> None:
    bring_in_force(registry)


@pytest.fixture
def people() -> list[User]:
    return [User.objects.create(username=f"u{n}") for n in range(12)]


def counter(name: str) -> Counter:
    return Counter(registry.counters.get(name))


def practise(people: list[User], chance: random.Random, number: int) -> None:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    Attempt.objects.bulk_create(
        Attempt(
            quiz=quiz,
            user=chance.choice(people),
            completed_at=NOW - dt.timedelta(hours=chance.choice([0, 1, 30, 400])),
            score=chance.choice([-300, -1, 0, 0, 1, 255, 256, 70_000]),
        )
        for _ in range(number)
    )


def change(people: list[User], chance: random.Random) -> None:
    """Something that somebody does."""
    mine = Attempt.objects.filter(user=chance.choice(people))
    what = chance.randrange(5)
    if what == 0:
        mine.delete()
    elif what == 1:
        mine.update(score=F("score") + chance.choice([-256, 1, 255]))
    elif what == 2:
        mine.update(user=chance.choice(people))
    else:
        practise(people, chance, 4)


def told(found: list[places.Place]) -> list[tuple[Any, ...]]:
    return [(one.scope, one.value, one.rank, one.dense_rank) for one in found]


def assert_places(people: list[User]) -> None:
    for name in ("sessions", "points"):
        found = counter(name)
        for window in WINDOWS:
            ask, worth = found._all(None, window, NOW, "top()"), found._worth
            right = told(ranking._first(worth, ask, 100, False))
            for number in (100, 3):
                top = places.first(worth, ask, number)
                assert top is not None
                assert told(top) == right[:number], (name, window)
            for user in people:
                scope = str(user.pk)
                for near in (0, 1, 3):
                    beside = places.around(worth, ask, scope, near)
                    assert beside is not None
                    wanted = told(ranking._around(worth, ask, scope, near, False))
                    assert told(beside) == wanted, (name, window, near)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (1, 2, 3))]
)
def test_as_adding_up_says(people: list[User], seed: int) -> None:
    chance = random.Random(seed)
    practise(people, chance, 30)
    for step in range(5):
        assert_places(people)
        for _ in range(3):
            change(people, chance)
        if step in (1, 2, 4):
            folding.fold("default")
    assert_places(people)


def test_nobody(people: list[User]) -> None:
    assert_places(people)
    assert counter("sessions").rank(of=people[0]) is None


def test_what_is_not_in_order_is_added_up(people: list[User], settings: Any) -> None:
    practise(people, random.Random(1), 20)

    def read(name: str = "sessions", window: Any = live.ever) -> Any:
        found = counter(name)
        ask = found._all(None, window, NOW, "top()")
        return places.first(found._worth, ask, 3), places.around(found._worth, ask, "1", 1)

    assert None not in read()
    assert read("mean") == (None, None)
    assert read("per_quiz") == (None, None)
    assert read(window=live.this_month) == (None, None)
    assert read(window=live.last(days=7)) == (None, None)
    settings.LIVECOUNTERS = {"WEEK_START": 6}
    assert read(window=live.this_week) == (None, None)
    assert None not in read(window=live.today)
    Ladder.objects.update(since=2**40)
    assert read(window=live.today) == (None, None)
    assert None not in read()
    Ladder.objects.update(upto="1")
    assert read() == (None, None)
    Ladder.objects.update(upto=None)
    Measured.objects.update(ready=False)
    assert read() == (None, None)


def test_a_number_that_changes_between_two_looks(people: list[User], monkeypatch: Any) -> None:
    practise(people, random.Random(1), 20)
    folding.fold("default")
    found = counter("sessions")
    scope = found.top(5)[2].scope
    own = places._Order.own

    def changed(order: Any, of: str) -> Any:
        answer = own(order, of)
        if Attempt.objects.filter(user_id=int(of)).count() < 30:
            practise([user for user in people if str(user.pk) == of], random.Random(2), 25)
        return answer

    monkeypatch.setattr(places._Order, "own", changed)

    assert found.rank(of=scope) == 1


def test_two_statements(
    people: list[User], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    practise(people, random.Random(1), 20)
    with django_assert_max_num_queries(2):
        counter("sessions").neighbours(of=people[0], near=5)


def test_who_finds_much_to_do_tidies_up(
    people: list[User], monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    practise(people, random.Random(1), 20)
    monkeypatch.setattr(places, "FOLD_ON_READ", 10)
    right = told(counter("sessions").top(20))

    with django_capture_on_commit_callbacks(execute=True):
        assert told(counter("sessions").neighbours(of=people[0], near=20)) == right

    assert not folding.pending("default")
    assert told(counter("sessions").top(20)) == right
