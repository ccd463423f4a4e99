"""A person's own numbers: in their own zone, over every change of clocks, at any moment."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User

from livecounters.attainment import progress, zone_of
from livecounters.goals import set_goal
from livecounters.registry import registry
from livecounters.rules import personal_counters
from tests.host.models import Attempt, Quiz

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("learning")]

UTC = dt.UTC


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def study(user: User, *moments: str, score: int = 50) -> None:
    quiz, _ = Quiz.objects.get_or_create(title="Fractions")
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, user=user, completed=True, completed_at=at(one), score=score)
        for one in moments
    )


def in_zone(settings: Any, name: str) -> None:
    settings.LIVECOUNTERS = {"USER_TIMEZONE": f"tests.test_attainment.{name}"}


def auckland(user: Any) -> dt.tzinfo:
    return ZoneInfo("Pacific/Auckland")


def los_angeles(user: Any) -> dt.tzinfo:
    return ZoneInfo("America/Los_Angeles")


def kathmandu(user: Any) -> dt.tzinfo:
    return ZoneInfo("Asia/Kathmandu")


def nowhere(user: Any) -> None:
    return None


def test_the_shape_of_it(ada: User) -> None:
    study(ada, "2026-03-10T10:00", "2026-03-11T10:00", "2026-03-11T11:00", score=80)
    study(ada, "2026-02-01T10:00", score=40)

    found = progress(ada, at("2026-03-11T20:00"))["sessions"]

    assert (found.total, found.today, found.week, found.month) == (4, 2, 3, 3)
    assert (found.streak.current, found.streak.longest) == (2, 2)
    assert found.average == 70
    assert found.goals["day"].target == 3
    assert (found.goals["day"].progress, found.goals["day"].percent) == (2, 66.7)
    assert (found.goals["week"].progress, found.goals["week"].percent) == (3, 20.0)
    assert found.next_milestone == 10
    assert progress(ada, at("2026-03-11T20:00"))["host.sessions"] == found
    assert found.as_json() == {
        "total": 4,
        "today": 2,
        "week": 3,
        "month": 3,
        "average": 70.0,
        "streak": {"current": 2, "longest": 2},
        "goals": {
            "day": {"target": 3, "progress": 2, "percent": 66.7},
            "week": {"target": 15, "progress": 3, "percent": 20.0},
        },
        "next_milestone": 10,
    }


def test_nothing_yet(ada: User) -> None:
    found = progress(ada)["sessions"]

    assert (found.total, found.today, found.average, found.streak.current) == (0, 0, None, 0)
    assert found.goals["day"].percent == 0
    with pytest.raises(LookupError):
        progress(ada)["nothing"]


def test_a_goal_may_be_passed(ada: User) -> None:
    study(ada, *["2026-03-11T10:00"] * 6)

    goal = progress(ada, at("2026-03-11T12:00"))["sessions"].goals["day"]

    assert (goal.percent, goal.reached) == (200.0, True)


def test_a_moment_of_the_past(ada: User) -> None:
    study(ada, "2026-03-10T10:00", "2026-03-11T10:00", "2026-03-12T10:00")

    found = progress(ada, at("2026-03-11T12:00"))["sessions"]

    assert (found.total, found.today, found.streak.current) == (2, 1, 2)


def test_others_do_not_count(ada: User) -> None:
    study(User.objects.create(username="bob"), "2026-03-11T10:00")

    assert progress(ada, at("2026-03-11T12:00"))["sessions"].total == 0


def test_a_day_that_is_deleted_ends_the_streak(ada: User) -> None:
    study(ada, "2026-03-09T10:00", "2026-03-10T10:00", "2026-03-11T10:00")
    Attempt.objects.filter(completed_at=at("2026-03-10T10:00")).delete()

    found = progress(ada, at("2026-03-11T12:00"))["sessions"]
    assert (found.streak.current, found.streak.longest) == (1, 1)


# Moments in UTC, the zone, now, and what is then: today, week, streak.
TABLE = [
    # Paris (the site's zone): clocks go forward on 29 March 2026, back on 25 October.
    (None, ["2026-03-28T22:59", "2026-03-28T23:00"], "2026-03-29T12:00", 1, 2, 2),
    (None, ["2026-03-29T21:59", "2026-03-29T22:00"], "2026-03-30T12:00", 1, 1, 2),
    (None, ["2026-10-24T21:59", "2026-10-24T22:00"], "2026-10-25T12:00", 1, 2, 2),
    (None, ["2026-10-25T22:59", "2026-10-25T23:00"], "2026-10-26T12:00", 1, 1, 2),
    # A day of 23 and one of 25 hours are a day each.
    (
        None,
        ["2026-03-28T12:00", "2026-03-29T12:00", "2026-03-30T12:00"],
        "2026-03-30T20:00",
        1,
        1,
        3,
    ),
    (
        None,
        ["2026-10-24T12:00", "2026-10-25T12:00", "2026-10-26T12:00"],
        "2026-10-26T20:00",
        1,
        1,
        3,
    ),
    # Auckland is a day ahead: 11:30 UTC is tomorrow there in winter (UTC+12).
    ("auckland", ["2026-06-10T11:59", "2026-06-10T12:00"], "2026-06-10T13:00", 1, 2, 2),
    # Its clocks go back on 5 April 2026 at 3:00 (UTC+13 before, UTC+12 after).
    (
        "auckland",
        ["2026-04-04T10:59", "2026-04-04T11:00", "2026-04-05T12:00"],
        "2026-04-05T13:00",
        1,
        1,
        3,
    ),
    # Los Angeles: clocks go forward on 8 March 2026.
    (
        "los_angeles",
        ["2026-03-08T07:59", "2026-03-08T08:00", "2026-03-09T07:00"],
        "2026-03-09T08:00",
        1,
        1,
        3,
    ),
    # Kathmandu is 5:45 ahead.
    ("kathmandu", ["2026-06-10T18:14", "2026-06-10T18:15"], "2026-06-10T19:00", 1, 2, 2),
    # Today not yet done: alive until the day has passed.
    (None, ["2026-06-08T10:00", "2026-06-09T10:00"], "2026-06-10T21:59", 0, 2, 2),
    (None, ["2026-06-08T10:00", "2026-06-09T10:00"], "2026-06-10T22:01", 0, 2, 0),
]


@pytest.mark.parametrize(("zone", "moments", "now", "today", "week", "streak"), TABLE)
def test_days_are_those_of_the_person(
    ada: User,
    settings: Any,
    zone: str | None,
    moments: list[str],
    now: str,
    today: int,
    week: int,
    streak: int,
) -> None:
    if zone is not None:
        in_zone(settings, zone)
    study(ada, *moments)

    found = progress(ada, at(now))["sessions"]

    assert (found.today, found.week, found.streak.current) == (today, week, streak)


def test_somebody_moves(ada: User, settings: Any) -> None:
    study(ada, "2026-06-09T21:00", "2026-06-10T09:00")
    assert progress(ada, at("2026-06-10T10:00"))["sessions"].streak.current == 2

    # In Auckland both were on the tenth.
    in_zone(settings, "auckland")
    found = progress(ada, at("2026-06-10T10:00"))["sessions"]
    assert (found.today, found.streak.current) == (2, 1)


def test_a_zone_that_is_not_known(ada: User, settings: Any) -> None:
    in_zone(settings, "nowhere")

    assert str(zone_of(ada)) == "Europe/Paris"


def test_a_week_begins_on_sunday(ada: User, settings: Any) -> None:
    settings.LIVECOUNTERS = {"WEEK_START": 6}
    study(ada, "2026-06-07T10:00", "2026-06-08T10:00")

    assert progress(ada, at("2026-06-08T12:00"))["sessions"].week == 2


def test_a_person_s_own_goal_counts_from_its_day_on(ada: User) -> None:
    entry = registry.counters.get("sessions")
    study(ada, "2026-06-09T10:00", "2026-06-10T10:00")
    set_goal(str(ada.pk), entry, "day", 1, dt.date(2026, 6, 10))
    set_goal(str(ada.pk), entry, "day", 2, dt.date(2026, 6, 10))

    assert progress(ada, at("2026-06-10T12:00"))["sessions"].goals["day"].target == 2
    assert progress(ada, at("2026-06-09T12:00"))["sessions"].goals["day"].target == 3


@pytest.mark.parametrize(
    ("period", "target"),
    [("day", 0), ("day", 1001), ("week", 4), ("week", 51), ("month", 3), ("day", True)],
)
def test_a_goal_out_of_bounds(ada: User, period: str, target: int) -> None:
    with pytest.raises(ValueError, match=r"Give a whole number|has no goal"):
        set_goal(
            str(ada.pk), registry.counters.get("sessions"), period, target, dt.date(2026, 6, 1)
        )


def test_one_statement_for_each_counter(ada: User, django_assert_max_num_queries: Any) -> None:
    study(ada, *["2026-03-11T10:00"] * 30)
    number = len(personal_counters())

    with django_assert_max_num_queries(2 + 2 * number):
        progress(ada)
