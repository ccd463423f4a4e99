"""``live/progress/``: a person's own numbers, goals and preferences, to themselves alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

import livecounters as live
from livecounters.attainment import progress
from livecounters.models import OptOut, PersonalGoal
from livecounters.registry import registry
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db


class Learning(live.LiveModel):
    at = "completed_at"

    sessions = live.Count(
        per="user", goals={"day": live.Goal(3, 1, 10), "week": 15}, milestones=[10]
    )


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


@pytest.fixture
def client(ada: User) -> APIClient:
    found = APIClient()
    found.force_login(ada)
    return found


def kiribati(user: Any) -> dt.tzinfo:
    return ZoneInfo("Pacific/Kiritimati")


def test_one_s_own_progress(client: APIClient, ada: User) -> None:
    quiz = Quiz.objects.create(title="Fractions")
    for user in (ada, ada, None, User.objects.create(username="bob")):
        Attempt.objects.create(quiz=quiz, user=user, completed_at=timezone.now())

    answer = client.get("/live/progress/")

    assert answer.status_code == 200
    assert answer.json()["sessions"] == progress(ada)["sessions"].as_json()
    assert answer.json()["sessions"]["goals"]["day"] == {
        "target": 3,
        "progress": 2,
        "percent": 66.7,
    }
    assert "private" in answer["Cache-Control"]
    again = client.get("/live/progress/", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    assert "private" in again["Cache-Control"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("patch", "goals/"),
        ("get", "preferences/"),
        ("patch", "preferences/"),
    ],
)
def test_only_who_is_signed_in(method: str, path: str) -> None:
    answer = getattr(APIClient(), method)(f"/live/progress/{path}", {}, format="json")

    assert answer.status_code in (401, 403)
    assert "sessions" not in answer.content.decode()


def test_one_s_own_goals(client: APIClient, ada: User) -> None:
    answer = client.patch("/live/progress/goals/", {"sessions": {"day": 5}}, format="json")

    assert answer.status_code == 200
    assert answer.json()["sessions"]["goals"]["day"]["target"] == 5
    assert answer.json()["sessions"]["goals"]["week"]["target"] == 15
    assert "private" in answer["Cache-Control"]
    answer = client.patch("/live/progress/goals/", {"host.sessions": {"day": 2}}, format="json")
    assert answer.json()["sessions"]["goals"]["day"]["target"] == 2
    assert PersonalGoal.objects.count() == 1
    yesterday = timezone.now() - dt.timedelta(days=1)
    assert progress(ada, yesterday)["sessions"].goals["day"].target == 3


def test_from_today_on_where_the_person_is(client: APIClient, settings: Any) -> None:
    settings.LIVECOUNTERS = {"USER_TIMEZONE": "tests.api.test_progress.kiribati"}
    client.patch("/live/progress/goals/", {"sessions": {"day": 5}}, format="json")

    today = timezone.now().astimezone(ZoneInfo("Pacific/Kiritimati")).date()
    assert PersonalGoal.objects.get().since == today


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"sessions": {"day": 11}}, {"sessions": {"day": ["Give a whole number from 1 to 10."]}}),
        ({"sessions": {"day": "5"}}, {"sessions": {"day": ["Give a whole number from 1 to 10."]}}),
        ({"sessions": {"day": 5, "week": 0}}, {"sessions": {"week": [...]}}),
        ({"sessions": {"day": 5, "year": 9}}, {"sessions": {"year": [...]}}),
        ({"sessions": {"day": 5}, "nothing": {"day": 1}}, {"nothing": [...]}),
        ({"sessions": {"day": 5}, "attempts": {"day": 1}}, {"attempts": [...]}),
        ({"sessions": 5}, {"sessions": [...]}),
        ({}, {"non_field_errors": [...]}),
        ([1], {"non_field_errors": [...]}),
    ],
)
def test_what_is_wrong_with_a_goal(client: APIClient, given: Any, errors: Any) -> None:
    answer = client.patch("/live/progress/goals/", given, format="json")

    assert answer.status_code == 400
    found = answer.json()
    assert found.keys() == errors.keys()
    for name, wrong in errors.items():
        if isinstance(wrong, dict):
            assert found[name].keys() == wrong.keys()
            assert all(w == [...] or w == found[name][p] for p, w in wrong.items())
    # All or nothing.
    assert not PersonalGoal.objects.exists()


def test_a_page_of_another_site_sets_nothing(ada: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(ada)

    answer = client.patch("/live/progress/goals/", {"sessions": {"day": 5}}, format="json")

    assert answer.status_code == 403
    assert not PersonalGoal.objects.exists()


def test_preferences(client: APIClient, ada: User) -> None:
    path = "/live/progress/preferences/"
    assert client.get(path).json()["leaderboard"] is True

    assert client.patch(path, {"leaderboard": False}, format="json").json()["leaderboard"] is False
    assert OptOut.objects.get().person == str(ada.pk)
    assert client.get(path).json()["leaderboard"] is False
    assert client.patch(path, {"leaderboard": True}, format="json").json()["leaderboard"] is True
    assert not OptOut.objects.exists()


@pytest.mark.parametrize("given", [{"leaderboard": "no"}, {"nothing": True}, {}])
def test_what_is_no_preference(client: APIClient, given: Any) -> None:
    answer = client.patch("/live/progress/preferences/", given, format="json")

    assert answer.status_code == 400
    assert not OptOut.objects.exists()


@pytest.mark.parametrize("path", ["progress/goals/", "progress/preferences/"])
@pytest.mark.parametrize("body", ["[" * 20_000, '{"a":' * 20_000, "NaN", "{", "\\x00"])
def test_a_body_that_cannot_be_read(path: str, body: str) -> None:
    client = APIClient()
    client.force_authenticate(User.objects.create(username="eve"))

    answer = client.patch(f"/live/{path}", body, content_type="application/json")
    assert answer.status_code == 400
    assert "parse error" in answer.json().get("detail", "parse error")
