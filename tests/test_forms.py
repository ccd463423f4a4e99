"""A person's goals and preferences, by a form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

import livecounters as live
from livecounters.attainment import progress
from livecounters.forms import GoalsForm, PreferencesForm
from livecounters.models import PersonalGoal
from livecounters.preferences import preferences
from livecounters.registry import registry
from tests.host.models import Attempt

pytestmark = pytest.mark.django_db


class Learning(live.LiveModel):
    at = "completed_at"

    sessions = live.Count(per="user", goals={"day": live.Goal(3, 1, 10), "week": 15})
    points = live.Sum("score", per="user", goals={"day": live.Goal(20, 20, 20), "month": 500})


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


def test_a_field_for_each_goal_that_may_be_set(ada: User) -> None:
    form = GoalsForm(user=ada)

    assert list(form.fields) == ["sessions-day", "sessions-week", "points-month"]
    assert form.fields["sessions-day"].initial == 3
    assert str(form.fields["sessions-week"].label) == "Sessions: Goal for a week"
    assert 'max="10"' in str(form["sessions-day"])
    only = GoalsForm(user=ada, counter="points")
    assert [(name, str(field.label)) for name, field in only.fields.items()] == [
        ("points-month", "Goal for a month")
    ]


def test_what_was_changed_is_set(ada: User) -> None:
    form = GoalsForm({"sessions-day": "5", "sessions-week": "15", "points-month": "500"}, user=ada)
    assert form.is_valid()
    form.save()

    assert PersonalGoal.objects.count() == 1
    assert progress(ada)["sessions"].goals["day"].target == 5
    assert GoalsForm(user=ada).fields["sessions-day"].initial == 5


def test_out_of_bounds(ada: User) -> None:
    form = GoalsForm({"sessions-day": "11"}, user=ada)

    assert not form.is_valid()
    assert {"sessions-day", "sessions-week", "points-month"} == form.errors.keys()


def test_preferences(ada: User) -> None:
    form = PreferencesForm({}, user=ada, only=("leaderboard",))
    assert list(form.fields) == ["leaderboard"]
    assert form.is_valid()
    form.save()
    assert preferences(str(ada.pk))["leaderboard"] is False
    assert preferences(str(ada.pk))["report"] is True
    shown = PreferencesForm(user=ada, only=("notices:",))
    assert [str(field.label) for field in shown.fields.values()] == [
        "Show me the first of each day",
        "Show me busy days",
        "Show me goals that I reach",
        "Show me what I reach in Sessions",
        "Show me what I reach in Points",
    ]
    form = PreferencesForm(dict.fromkeys(PreferencesForm(user=ada).fields, "on"), user=ada)
    assert form.is_valid()
    form.save()
    assert all(preferences(str(ada.pk)).values())
