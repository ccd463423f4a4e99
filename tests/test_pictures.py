"""What the templates of charts, breakdowns and leaderboards are given, in the page's language."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation

import livecounters as live
from livecounters.leaderboards import mark_of
from livecounters.numbers import counters
from livecounters.pictures import breakdown, chart, leaderboard, sparklines
from livecounters.preferences import LEADERBOARD, set_preference
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db


class Learning(live.LiveModel):
    at = "completed_at"

    sessions = live.Count(per="user", label="Done")
    points = live.Sum("score", per="quiz")


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


def study(user: User | None, number: int, hours: int = 0, score: int | None = 50) -> Quiz:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    at = timezone.now() - dt.timedelta(hours=hours)
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, user=user, completed=True, completed_at=at, score=score)
        for _ in range(number)
    )
    return quiz


# Charts


def drawn(name: str, window: Any = None, kind: str = "bar") -> dict[str, Any]:
    return chart(counters[name], None, window or live.last(hours=12), "", kind)


def test_a_chart() -> None:
    study(None, 1234, hours=13)
    study(None, 2468)

    found = drawn("attempts")

    assert json.loads(found["reading"])["values"][-1] == 2468
    assert (found["size"], found["last"], found["highest"]) == ("12", "11", "2,468")
    assert found["stretch"] == "The last 12 hours"
    assert found["trend"] == "+100 % against the 12 hours before"
    assert found["running"].startswith("M11.1 ")
    assert found["shape"].count("M") == 11
    rows = found["rows"]
    assert [row["text"] for row in rows] == ["0"] * 11 + ["2,468 (so far)"]
    assert [row["running"] for row in rows] == [False] * 11 + [True]
    with translation.override("de"):
        assert drawn("attempts")["highest"] == "2.468"


def test_a_gap_is_no_zero() -> None:
    study(None, 1, score=0)

    found = drawn("score_avg", kind="line")

    assert [row["text"] for row in found["rows"]] == ["\N{EN DASH}"] * 11 + ["0.0 (so far)"]
    assert found["shape"] == ""
    assert found["running"] == "M11.1 98.0h0.8h0"
    assert found["trend"] == ""


@pytest.mark.parametrize(
    ("window", "stretch", "trend"),
    [
        (live.last(hours=1), "The last hour", "{percent} % against the hour before"),
        (live.last(days=7), "The last 7 days", "{percent} % against the 7 days before"),
        (live.last(days=1), "The last day", "{percent} % against the day before"),
        (live.last(minutes=90), "The last 90 minutes", "{percent} % against the 90 minutes before"),
        (live.last(days=2000), "The last 2,000 days", "{percent} % against the 2,000 days before"),
    ],
)
def test_in_words(window: Any, stretch: str, trend: str) -> None:
    found = drawn("attempts", window)

    assert (found["stretch"], found["trend_text"]) == (stretch, trend)


def test_what_is_no_chart() -> None:
    with pytest.raises(ValueError, match="choose one of 'bar', 'line', 'area'"):
        drawn("attempts", kind="pie")


def test_sparklines_are_two_queries(django_assert_num_queries: Any) -> None:
    study(None, 3)
    names = ["attempts", "score_avg", "gifts", "quizzes_today", "learners"]

    with django_assert_num_queries(2):
        found = sparklines([(counters[name], "") for name in names])

    assert [line is None for line in found] == [False, False, True, False, False]
    assert found[0] is not None
    assert json.loads(found[0]["reading"])["values"] == [0] * 11 + [3]


# Lines


def test_a_breakdown() -> None:
    quiz = study(None, 3)

    found = breakdown(counters["per_quiz"], 10, "chips", None, None)

    assert [(line["name"], line["text"], line["share"]) for line in found["lines"]] == [
        (str(quiz), "3", "100")
    ]
    assert (found["shares"], found["kind"]) == (True, "chips")
    assert found["token"].startswith("breakdown:en")
    with pytest.raises(ValueError, match="choose one of 'bars', 'chips'"):
        breakdown(counters["per_quiz"], 10, "cake", None, None)
    with pytest.raises(TypeError, match=r"live_breakdown .*name a counter with per="):
        breakdown(counters["attempts"], 10, "bars", None, None)


def board(user: User | None = None, **given: Any) -> dict[str, Any]:
    given = {"limit": 2, "window": "ever", "near": 1, "within": None} | given
    return leaderboard(counters["sessions"], user=user, **given)


def test_a_leaderboard(ada: User) -> None:
    others = [User.objects.create(username=f"u{n}") for n in range(5)]
    for n, other in enumerate(others):
        study(other, n + 2)
    study(ada, 1)

    found = board(ada)
    assert [line["name"] for line in found["lines"]] == ["u4", "u3"]
    assert [(line["rank"], line["name"], line["own"]) for line in found["beside"]] == [
        ("5", "u0", False),
        ("6", "ada", True),
    ]
    assert found["gap"]
    # Who is among the first needs no second mention, nor do neighbours who are.
    assert board(others[4])["beside"] == []
    assert [line["name"] for line in board(others[2])["beside"]] == ["u2", "u1"]
    assert not board(others[2])["gap"]
    assert board(None)["beside"] == []
    assert board(ada, window=live.today)["lines"] == found["lines"]
    set_preference(str(ada.pk), LEADERBOARD, False)
    assert board(ada)["beside"][-1]["listed"] is False


@pytest.mark.parametrize(("name", "window"), [("attempts", "ever"), ("sessions", "tomorrow")])
def test_what_is_no_leaderboard(name: str, window: str) -> None:
    with pytest.raises((TypeError, ValueError), match=r"name a counter with per=|Give one of"):
        leaderboard(counters[name], 10, window, 1, None, None)


def test_one_s_own_line_is_known_by_its_mark(ada: User) -> None:
    study(ada, 1)

    assert board(ada)["own"] == mark_of(str(ada.pk))
    assert board(None)["own"] == ""
    assert board(None)["token"].startswith("top:en")
