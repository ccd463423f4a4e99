"""Answers as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

import livecounters as live
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    class Declared(live.LiveModel):
        sessions = live.Count(per="user", public=True)

    registry.add(Attempt, Declared)
    yield
    registry.remove(Declared)


@pytest.fixture
def quiz() -> Quiz:
    found = Quiz.objects.create(title="Fractions")
    ada = User.objects.create(username='=cmd,"x"')
    for user in (ada, ada, User.objects.create(username="bob")):
        Attempt.objects.create(
            quiz=found, user=user, completed=True, completed_at=timezone.now(), score=1
        )
    return found


def sheet(path: str, **headers: str) -> list[str]:
    answer: Any = Client().get(f"/live/counters/{path}", headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return answer.content.decode().splitlines()


def test_a_series(quiz: Quiz) -> None:
    head, *lines = sheet("attempts/series/?format=csv&window=2h")

    assert head == "start,value,running"
    assert len(lines) == 2
    assert lines[-1].endswith(",3,True")


def test_a_breakdown(quiz: Quiz) -> None:
    assert sheet("per_quiz/breakdown/", Accept="text/csv") == ["of,value", f"{quiz.pk},3"]


def test_the_first_places_with_names_that_nothing_runs(quiz: Quiz) -> None:
    lines = sheet("sessions/top/?format=csv")

    assert lines[0] == "rank,of,name,value"
    assert lines[1].startswith("1,")
    assert lines[1].endswith(""","'=cmd,""x""\",2""")
    assert lines[2].endswith(",bob,1")


def test_an_error_is_a_sheet_too() -> None:
    answer = Client().get("/live/counters/per_quiz/breakdown/?format=csv&limit=0")

    assert answer.status_code == 400
    assert answer.content.decode().splitlines() == [
        "about,error",
        "limit,Give a number from 1 to 1000.",
    ]


def test_the_two_forms_have_tags_of_their_own() -> None:
    path = "/live/counters/attempts/series/"
    tags = {Client().get(path, {"format": form})["ETag"] for form in ("json", "csv")}

    assert len(tags) == 2
    again = Client().get(path, {"format": "csv"}, headers={"If-None-Match": ", ".join(tags)})
    assert (again.status_code, again.content) == (304, b"")
    assert "Accept" in Client().get(path)["Vary"]


@pytest.mark.parametrize("path", ["counters/attempts/", "events/", "counters/attempts/series/"])
def test_a_form_that_there_is_not(path: str) -> None:
    assert Client().get(f"/live/{path}?format=xml").status_code == 404
