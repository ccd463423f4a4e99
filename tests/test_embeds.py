"""What other sites may show: what is listed and public, in the words of a language."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from livecounters.embeds import embedded, why_not
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def listed(settings: Any) -> None:
    names = ["attempts", "host.per_quiz", "score_avg", "revenue", "sales", "nothing"]
    settings.LIVECOUNTERS = {**settings.LIVECOUNTERS, "EMBEDS": {"COUNTERS": names}}


def text(name: str, of: str | None = None, language: str = "en") -> str | None:
    found = embedded(name, of, language, timezone.now())
    return None if found is None else found.text


def test_a_number_in_a_language() -> None:
    quiz = Quiz.objects.create(title="Fractions")
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, completed=True, completed_at=timezone.now(), score=50)
        for _ in range(1234)
    )

    assert text("attempts") == text("host.attempts") == "1,234"
    assert text("attempts", language="de") == "1.234"
    assert text("per_quiz", str(quiz.pk)) == text("host.per_quiz", str(quiz.pk)) == "1,234"
    assert text("score_avg") == "50.0"
    assert text("revenue") == "0.00"


def test_a_mean_of_nothing_is_a_dash() -> None:
    assert text("score_avg") == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("quizzes_today", None),  # public, and not listed
        ("sales", None),  # listed, and not public
        ("nothing", None),
        ("host.", None),
        ("attempts", "1"),
        ("per_quiz", None),
        ("per_quiz", "x"),
    ],
)
def test_what_is_not_for_others(name: str, of: str | None) -> None:
    assert text(name, of) is None


def test_nothing_is_for_others_unless_it_is_listed(settings: Any) -> None:
    settings.LIVECOUNTERS = {}

    assert text("attempts") is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [("attempts", ""), ("sales", "is not public"), ("nothing", "nothing"), (3, ""), (None, "")],
)
def test_why_not(name: Any, reason: str) -> None:
    assert reason in why_not(name)
    assert bool(why_not(name)) is (name != "attempts")
