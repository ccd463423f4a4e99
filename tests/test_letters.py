"""Letters: to whom, in their own evening, and each once."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections

from livecounters import letters
from livecounters.letters import at_risk, due_reports, report_of, written
from livecounters.preferences import REMINDERS, REPORT, preferences, set_preference
from tests.test_attainment import at, in_zone, study

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("learning")]


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada", email="ada@example.com")


def risky(now: str) -> list[tuple[Any, str, int]]:
    return [(one.user, one.counter, one.streak) for one in at_risk(at(now))]


def test_in_the_evening_of_a_day_without(ada: User) -> None:
    study(ada, "2026-03-09T10:00", "2026-03-10T10:00")

    # Paris is an hour ahead of UTC then.
    assert risky("2026-03-11T16:59") == []
    assert risky("2026-03-11T17:00") == [(ada, "sessions", 2)]
    study(ada, "2026-03-11T17:30")
    assert risky("2026-03-11T18:00") == []


def test_without_a_streak_nothing_is_at_risk(ada: User) -> None:
    study(ada, "2026-03-08T10:00")

    assert risky("2026-03-11T18:00") == []


def test_it_is_the_person_s_evening(ada: User, settings: Any) -> None:
    in_zone(settings, "auckland")
    study(ada, "2026-06-09T10:00")

    # 22:00 there on the ninth, when it was done; 18:00 on the tenth.
    assert risky("2026-06-10T05:59") == []
    assert risky("2026-06-10T06:00") == [(ada, "sessions", 1)]


def test_who_does_not_want_any(ada: User) -> None:
    study(ada, "2026-03-10T10:00")
    set_preference(str(ada.pk), REMINDERS, False)

    assert risky("2026-03-11T18:00") == []


def test_who_cannot_sign_in_any_more(ada: User) -> None:
    study(ada, "2026-03-10T10:00")
    User.objects.update(is_active=False)

    assert risky("2026-03-11T18:00") == []


def test_each_once(ada: User) -> None:
    day = dt.date(2026, 3, 11)

    assert written(ada, REMINDERS, day)
    assert not written(ada, REMINDERS, day)
    assert written(ada, REPORT, day)
    assert written(ada, REMINDERS, dt.date(2026, 3, 12))


def test_two_at_once_write_one(ada: User) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("one writer")
    found: list[bool] = []

    def work() -> None:
        try:
            found.append(written(ada, REPORT, dt.date(2026, 3, 9)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [False] * 4 + [True]


def test_the_week_that_has_ended(ada: User) -> None:
    study(ada, "2026-03-01T10:00", "2026-03-04T10:00", "2026-03-08T10:00", "2026-03-09T10:00")

    (week,) = due_reports(at("2026-03-09T12:00"))

    assert (week.user, week.first, week.last) == (ada, dt.date(2026, 3, 2), dt.date(2026, 3, 8))
    assert week.numbers["sessions"] == 2
    assert week.before["sessions"] == 1
    assert report_of(ada, dt.date(2026, 3, 9), at("2026-03-10T12:00")).numbers["sessions"] == 1


def test_no_report_for_who_does_not_want_one(ada: User) -> None:
    study(ada, "2026-03-04T10:00")
    set_preference(str(ada.pk), REPORT, False)

    assert list(due_reports(at("2026-03-09T12:00"))) == []


def test_one_click_ends_them(ada: User) -> None:
    token = letters.unsubscribe_token(ada, REPORT)

    assert letters.is_token(token)
    assert letters.unsubscribe(token) == REPORT
    assert [what for what, wanted in preferences(str(ada.pk)).items() if not wanted] == [REPORT]
    for wrong in (token + "x", "x", "", "report:1~x"):
        assert letters.unsubscribe(wrong) is None
        assert not letters.is_token(wrong)
