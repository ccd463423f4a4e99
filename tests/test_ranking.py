"""Who is first, on every database, by the rows themselves."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

import livecounters as live
from livecounters import folding
from livecounters.models import Measured
from livecounters.ranking import Place
from livecounters.readers import Counter
from livecounters.registry import Registry
from tests.host.models import Attempt, Quiz, Tag

pytestmark = pytest.mark.django_db


def declared() -> Registry:
    found = Registry()
    given: dict[str, Any] = {
        "at": "completed_at",
        "done": live.Count(per="user"),
        "score": live.Sum("score", per="user"),
        "mean": live.Avg("score", per="user"),
        "quizzes": live.Count("quiz", distinct=True, per="user"),
        "best": live.Max("score", per="user"),
        "by_quiz": live.Count(per=("quiz__tags", "user")),
        "by_title": live.Count(per=("user", "quiz__title")),
        "all": live.Count(),
    }
    found.add(Attempt, type("Ranked", (live.LiveModel,), given))
    return found


@pytest.fixture
def people(names: Registry) -> list[User]:
    chance = random.Random(2)
    people = [User.objects.create(username=f"u{n}") for n in range(8)]
    quizzes = [Quiz.objects.create(title=title) for title in ("a", "b/c", "~")]
    tag = Tag.objects.create(slug="t/1")
    Tag.objects.create(slug="t/10").quiz_set.set(quizzes)
    quizzes[0].tags.add(tag)
    for n in range(30):
        Attempt.objects.create(
            user=chance.choice(people[:6]),
            quiz=chance.choice(quizzes),
            completed_at=timezone.now(),
            score=chance.choice([-5, None, 0, 1, 10]),
        )
        if n == 20:
            folding.fold("default", declared=names)
    return people


def ranked(values: dict[str, Any], ascending: bool = False) -> list[tuple[Any, ...]]:
    """(scope, value, rank, dense rank), by the definition."""
    known = {scope: value for scope, value in values.items() if value is not None}
    better = sorted(set(known.values()), reverse=not ascending)
    rows = [
        (
            scope,
            value,
            1 + sum((o < value) if ascending else (o > value) for o in known.values()),
            1 + better.index(value),
        )
        for scope, value in known.items()
    ]
    return sorted(rows, key=lambda row: (row[2], row[0]))


def told(places: list[Place]) -> list[tuple[Any, ...]]:
    return [(one.scope, one.value, one.rank, one.dense_rank) for one in places]


@pytest.mark.parametrize("name", ["done", "score", "mean", "quizzes", "best"])
@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("kept", [True, False])
def test_as_the_definition_says(
    counters: dict[str, Counter], people: list[User], name: str, ascending: bool, kept: bool
) -> None:
    counter = counters[name]
    if not kept:
        Measured.objects.update(ready=False)
    right = ranked(dict(counter.breakdown()), ascending)

    assert told(counter.top(100, ascending=ascending)) == right
    assert told(counter.top(2, ascending=ascending)) == right[:2]
    for n, (scope, _, rank, dense) in enumerate(right):
        assert counter.rank(of=scope, ascending=ascending) == rank
        assert counter.rank(of=scope, dense=True, ascending=ascending) == dense
        near = told(counter.neighbours(of=scope, near=1, ascending=ascending))
        assert near == right[max(0, n - 1) : n + 2]
    assert counter.rank(of=people[7]) is None
    assert counter.neighbours(of=people[7]) == []


@pytest.mark.usefixtures("people")
def test_few_queries(
    counters: dict[str, Counter], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = counters["done"].top(1)[0]
    scope, value = first
    assert (scope, value) == (first.scope, first.value)
    # Off a ladder: a rank is looked up by the number, which is read first.
    with django_assert_num_queries(5):
        counters["done"].top(3)
        counters["done"].rank(of=scope)
        counters["done"].neighbours(of=scope)
    with django_assert_num_queries(3):
        counters["mean"].top(3, window=live.last(days=7))
        counters["mean"].rank(of=scope)
        counters["mean"].neighbours(of=scope)


@pytest.mark.usefixtures("people")
def test_within_the_first_keys(counters: dict[str, Counter]) -> None:
    by_quiz, by_title = counters["by_quiz"], counters["by_title"]
    everywhere = by_quiz.breakdown()
    for slug in ("t/1", "t/10"):
        begin = slug.replace("/", "~1") + "/"
        right = {
            scope.removeprefix(begin): value
            for scope, value in everywhere.items()
            if scope.startswith(begin)
        }
        assert right
        assert by_quiz.breakdown(within=Tag(slug=slug)) == right
        assert told(by_quiz.top(100, within=slug)) == ranked(right)
        for scope, _, rank, _ in ranked(right):
            assert by_quiz.rank(of=(slug, scope)) == rank
            assert by_quiz.breakdown(within=[slug])[User(pk=int(scope))] == right[scope]
    someone = by_title.top(1)[0].scope.partition("/")[0]
    titles = by_title.breakdown(within=someone)
    assert set(titles) <= {"a", "b/c", "~"}
    assert sum(titles.values()) == counters["done"].value(of=someone)
    Measured.objects.update(ready=False)
    assert by_title.breakdown(within=someone) == titles


def test_what_cannot_be_ranked(counters: dict[str, Counter]) -> None:
    with pytest.raises(TypeError, match=r"one number for the site; top\(\) needs a per="):
        counters["all"].top()
    with pytest.raises(TypeError, match="one number for the site; it has no of="):
        counters["all"].rank(of=1)
    with pytest.raises(TypeError, match="within= takes one of each but the last"):
        counters["done"].top(within=3)
    with pytest.raises(TypeError, match="within= takes one of each but the last"):
        counters["by_quiz"].breakdown(within=("a", "b"))


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_async_twins() -> None:
    counter = live.counters["per_quiz"]
    assert await counter.atop(3) == []
    assert await counter.arank(of=1) is None
    assert await counter.aneighbours(of=1) == []
