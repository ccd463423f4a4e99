"""Another day: by ours, and by a library that travels."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import override_settings
from django.utils import timezone

import livecounters as live
from livecounters import audit, testing
from tests.host.models import Attempt, Quiz

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def complete(**given: Any) -> Attempt:
    given = {"completed": True, "completed_at": timezone.now(), **given}
    quiz = Quiz.objects.get_or_create(title="Fractions")[0]
    return Attempt.objects.create(quiz=quiz, **given)


@pytest.mark.django_db
def test_another_day() -> None:
    complete(completed_at=NOON)
    testing.assert_counter("attempts_today", 0)

    with testing.freeze(NOON + dt.timedelta(hours=3)):
        testing.assert_counter("attempts_today", 1)
        complete()
        testing.assert_counter("attempts_today", 2)
    with testing.freeze(NOON + dt.timedelta(days=1)):
        testing.assert_counter("attempts_today", 0)


@pytest.mark.django_db
@testing.freeze(NOON)
def test_a_test_of_another_day() -> None:
    assert timezone.now() == NOON
    complete()
    testing.assert_counter("attempts_today", 1)


@pytest.mark.django_db
@pytest.mark.parametrize("days", [-400, -30, -3, -2, -1, 0, 1, 30])
@pytest.mark.parametrize("minutes", [1, 8, 16, 59])
def test_short_windows_miss_nothing(days: int, minutes: int) -> None:
    """Whatever the database's own clock says."""
    now = timezone.now() + dt.timedelta(days=days)
    with testing.freeze(now):
        complete(completed_at=now - dt.timedelta(minutes=minutes))
        testing.assert_counter("attempts_hour", 1)
        testing.fold()
        testing.assert_counter("attempts_hour", 1)
        complete(completed_at=now - dt.timedelta(minutes=100))
        testing.assert_counter("attempts_hour", 1)
        assert not audit.verify(live.counters["attempts_hour"].measure).wrong


@pytest.mark.django_db
def test_a_page_of_another_day() -> None:
    complete(completed_at=NOON)
    staff = User(is_staff=True, is_active=True)
    with (
        testing.freeze(NOON),
        testing.captured_frames("counter:attempts_today", user=staff) as page,
    ):
        assert page.first[0]["values"] == {"counter:attempts_today": 1}
        with testing.freeze(NOON + dt.timedelta(days=1)):
            page.look()
    assert page.frames[0]["values"] == {"counter:attempts_today": 0}
    assert page.frames[0]["at"] == "2026-03-02T12:00:00.000Z"


def test_a_moment_has_a_zone() -> None:
    with (
        pytest.raises(ValueError, match="give an aware datetime"),
        testing.freeze(NOON.replace(tzinfo=None)),
    ):
        pass


def test_a_site_without_zones() -> None:
    with override_settings(USE_TZ=False), testing.freeze(NOON):
        assert timezone.now() == dt.datetime(2026, 3, 1, 13)  # noqa: DTZ001 - Paris, naive
    with override_settings(USE_TZ=False), testing.freeze(NOON.replace(tzinfo=None)):
        assert timezone.now() == NOON.replace(tzinfo=None)


@pytest.mark.django_db
def test_travelling_by_a_library() -> None:
    """As the documentation says."""
    with time_machine.travel(NOON, tick=False):
        complete(score=1)
        testing.assert_counter("attempts_today", 1)
    with time_machine.travel(NOON + dt.timedelta(days=1), tick=False):
        testing.assert_counter("attempts_today", 0)
    testing.verify()
