"""What templates are given of progress, in the page's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation

import livecounters as live
from livecounters.awards import judge
from livecounters.displays import number_text, progress_cards
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db


class Learning(live.LiveModel):
    at = "completed_at"

    sessions = live.Count(
        per="user", goals={"day": 3, "week": 15}, milestones=[2, 5], streaks=[2, 7], label="Done"
    )
    points = live.Sum("score", per="user")
    session_score = live.Avg("score", per="user")


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


def study(user: User, number: int, days: int = 0, score: int | None = 50) -> None:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    at = timezone.now() - dt.timedelta(days=days)
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, user=user, completed_at=at, score=score) for _ in range(number)
    )


def cards(user: User, *names: str, near: float = 70, streaks: str = "2 7") -> list[dict[str, Any]]:
    return progress_cards(user, names, near, streaks, "50 80")


def test_of_which_counters(ada: User) -> None:
    assert "sessions" in [card["name"] for card in cards(ada)]
    assert "points" not in [card["name"] for card in cards(ada)]
    assert [card["name"] for card in cards(ada, "points", "host.sessions")] == [
        "points",
        "sessions",
    ]


@pytest.mark.parametrize(
    ("done", "percent", "text", "capped", "level"),
    [
        (0, "0", "0", "0", ""),
        (1, "33.3", "33", "33.3", ""),
        (2, "66.7", "66", "66.7", "near"),
        (3, "100", "100", "100", "done"),
        (6, "200", "200", "100", "done"),
    ],
)
def test_a_goal(ada: User, done: int, percent: str, text: str, capped: str, level: str) -> None:
    study(ada, done)
    (card,) = cards(ada, "sessions", near=60)
    day = card["goals"][0]

    assert (day["period"], day["target"]["text"]) == ("day", "3")
    assert day["percent"] == {"value": percent, "text": text}
    assert (day["capped"], day["level"], day["levels"]) == (capped, level, "near:60 done:100")


def test_streak_score_and_badges(ada: User) -> None:
    judge(ada)
    for days in range(3):
        study(ada, 1, days, score=90)
    judge(ada)
    (card,) = cards(ada, "sessions")

    assert (card["streak"]["current"]["value"], card["streak"]["level"]) == ("3", "2")
    assert card["streak"]["levels"] == "2:2 7:7"
    assert (card["score"]["value"], card["score"]["text"]) == ("90.0", "90.0")
    assert (card["score"]["capped"], card["score"]["level"]) == ("90", "high")
    assert card["next_milestone"]["value"] == "5"
    assert [badge["text"] for badge in card["badges"]] == ["2 in all", "2 days in a row"]


def test_without_a_score(ada: User) -> None:
    study(ada, 1, score=None)

    assert cards(ada, "sessions")[0]["score"] is None


def test_digits_of_the_language() -> None:
    assert number_text(None, 0) == "\N{EN DASH}"
    assert number_text(2.5, 0) == "3"
    with translation.override("de"):
        assert number_text(1234.56, 1) == "1.234,6"
