"""The parts of a number: greatest first, with names and shares; the rest as one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

import livecounters as live
from livecounters.breakdowns import Part, adds_up, parts
from livecounters.numbers import counters
from livecounters.preferences import LEADERBOARD, set_preference
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz, Sale, Tag

pytestmark = pytest.mark.django_db


class Members(live.LiveModel):
    at = "completed_at"

    by_quiz = live.Count(per="quiz")
    by_user = live.Count(per="user")
    by_tag = live.Count(per=("quiz__tags", "quiz"))
    points = live.Sum("score", per="quiz")
    mean = live.Avg("score", per="quiz")
    people = live.Count("user", distinct=True, per="quiz")


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    registry.add(Attempt, Members)
    yield
    registry.remove(Members)


@pytest.fixture
def quizzes() -> list[Quiz]:
    """Four of them, taken 4, 3, 2 and 1 times."""
    quizzes = [Quiz.objects.create(title=title) for title in "abcd"]
    for number, quiz in zip((4, 3, 2, 1), quizzes, strict=True):
        Attempt.objects.bulk_create(
            Attempt(quiz=quiz, completed=True, completed_at=timezone.now(), score=10)
            for _ in range(number)
        )
    return quizzes


def told(found: list[Part]) -> list[tuple[str | None, Any, Any]]:
    return [(part.key, part.value, part.share) for part in found]


def test_the_greatest_first(quizzes: list[Quiz], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        found = parts(counters["per_quiz"], 2)

    first, second, *_ = (str(quiz.pk) for quiz in quizzes)
    assert told(found) == [(first, 4, 40.0), (second, 3, 30.0), (None, 3, 30.0)]
    assert [part.bar for part in found] == [100.0, 75.0, 75.0]
    assert [part.name for part in found] == [str(quizzes[0]), str(quizzes[1]), "Others"]
    assert found[0].as_json() == {
        "name": str(quizzes[0]),
        "value": 4,
        "share": 40.0,
        "bar": 100.0,
    }


def test_nobody_is_left_over_where_all_fit(quizzes: list[Quiz]) -> None:
    assert len(parts(counters["by_quiz"])) == 4
    Attempt.objects.all().delete()
    assert parts(counters["by_quiz"]) == []


def test_moving_a_row_moves_both(quizzes: list[Quiz]) -> None:
    attempt = Attempt.objects.filter(quiz=quizzes[0]).first()
    assert attempt is not None
    attempt.quiz = quizzes[3]
    attempt.save()

    assert sorted(part.value for part in parts(counters["by_quiz"])) == [2, 2, 3, 3]


@pytest.mark.parametrize("name", ["mean", "people"])
def test_what_does_not_add_up_has_neither_shares_nor_others(name: str, quizzes: list[Quiz]) -> None:
    Attempt.objects.filter(quiz=quizzes[0]).update(user=User.objects.create(username="ada"))

    found = parts(counters[name], 2)

    assert not adds_up(counters[name])
    assert {part.share for part in found} == {None}
    assert None not in [part.key for part in found]


def test_below_zero_there_are_no_shares(quizzes: list[Quiz]) -> None:
    Attempt.objects.filter(quiz=quizzes[1]).update(score=-10)

    found = parts(counters["points"])

    assert {part.share for part in found} == {None}
    assert [part.bar for part in found] == [100.0, 50.0, 25.0, 0.0]


def test_people_who_do_not_want_it_are_among_the_others(quizzes: list[Quiz]) -> None:
    ada, bob, eve = (User.objects.create(username=name) for name in ("ada", "bob", "eve"))
    for user, number in ((ada, 3), (bob, 2), (eve, 1)):
        for attempt in Attempt.objects.filter(user=None)[:number]:
            Attempt.objects.filter(pk=attempt.pk).update(user=user)
    set_preference(str(ada.pk), LEADERBOARD, False)

    found = parts(counters["by_user"], 1)

    assert [(part.name, part.value) for part in found] == [("bob", 2), ("Others", 4)]


def test_of_several_keys(quizzes: list[Quiz]) -> None:
    tag = Tag.objects.create(slug="easy/ish")
    quizzes[0].tags.add(tag)
    quizzes[2].tags.add(tag)

    found = parts(counters["by_tag"], within=tag)

    assert [part.value for part in found] == [4, 2]


def test_in_a_window(quizzes: list[Quiz]) -> None:
    now = timezone.now()
    Attempt.objects.filter(quiz=quizzes[0]).update(completed_at=now - dt.timedelta(days=9))

    found = parts(counters["by_quiz"], window=live.last(days=7), at=now)

    assert [part.value for part in found] == [3, 2, 1]


def test_money_is_exact() -> None:
    for price in ("0.10", "0.20"):
        Sale.objects.create(price=price)

    (part,) = parts(counters["revenue_per_currency"])

    assert part.as_json()["value"] == "0.30"
