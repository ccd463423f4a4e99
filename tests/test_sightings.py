"""Sightings: who was here lately, and who turned to online or offline, said once."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections

from livecounters import sightings
from livecounters.models import Sighting
from livecounters.presence import Kind, Who
from livecounters.signals import went_offline, went_online

pytestmark = pytest.mark.django_db(transaction=True)

ADA, BOB = Who(Kind.PERSON, "1", "b1"), Who(Kind.PERSON, "2")
GUEST = Who(Kind.GUEST, "b1")


@pytest.fixture
def said() -> Iterator[list[Any]]:
    found: list[Any] = []

    def came(sender: Any, user_id: str, at: dt.datetime, **given: Any) -> None:
        assert sender is get_user_model()
        found.append(("online", user_id, at.timestamp()))

    def gone(
        sender: Any, user_id: str, at: dt.datetime, duration: dt.timedelta, **more: Any
    ) -> None:
        found.append(("offline", user_id, duration.total_seconds()))

    went_online.connect(came)
    went_offline.connect(gone)
    yield found
    went_online.disconnect(came)
    went_offline.disconnect(gone)


def test_somebody_comes_and_goes(said: list[Any]) -> None:
    sightings.arrived([ADA, GUEST], 100.0)
    sightings.arrived([ADA], 101.0)
    assert said == [("online", "1", 100.0)]
    assert set(sightings.online()) == {"1"}

    sightings.went(["1"], 160.0)
    sightings.went(["1"], 161.0)
    assert said[1:] == [("offline", "1", 60.0)]
    assert sightings.online() == {}

    sightings.arrived([ADA], 200.0)
    assert said[2:] == [("online", "1", 200.0)]


def test_who_was_never_here_cannot_go(said: list[Any]) -> None:
    sightings.went(["1"], 0.0)
    sightings.went([], 0.0)

    assert said == []


def test_of_many_who_notice_one_says_it(said: list[Any]) -> None:
    def notice() -> None:
        try:
            for _ in range(5):
                try:
                    sightings.arrived([ADA, BOB], 100.0)
                except Exception:
                    # One writer at a time, or a deadlock: told again, as the keeper does.
                    continue
        finally:
            connections.close_all()

    threads = [threading.Thread(target=notice) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sightings.arrived([ADA, BOB], 100.0)

    assert sorted(said) == [("online", "1", 100.0), ("online", "2", 100.0)]


def test_a_receiver_that_fails_stops_nothing(
    said: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**given: Any) -> None:
        raise RuntimeError("broken")

    went_online.connect(fail)
    try:
        sightings.arrived([ADA], 0.0)
    finally:
        went_online.disconnect(fail)

    assert said == [("online", "1", 0.0)]
    assert "a receiver of presence failed" in caplog.text


def test_active_lately(said: list[Any]) -> None:
    sightings.seen([ADA, BOB, Who(Kind.GUEST, "b2")], 1000.0)
    assert sightings.active(1000.0) == 3
    assert sightings.active(1000.5) == 0

    # The guest whose browser Ada has signed in with is Ada.
    sightings.seen([GUEST], 1100.0)
    assert sightings.active(1000.0) == 3
    assert sightings.active(1050.0) == 1


def test_who_stays_is_written_once_a_minute() -> None:
    sightings.seen([ADA], 1000.0)
    sightings.seen([ADA], 1059.0)
    assert sightings.last_seen("1") == dt.datetime.fromtimestamp(1000, dt.UTC)

    sightings.seen([ADA], 1060.0)
    assert sightings.last_seen("1") == dt.datetime.fromtimestamp(1060, dt.UTC)
    assert sightings.last_seen("9") is None


def test_another_browser() -> None:
    sightings.seen([ADA], 1000.0)
    sightings.seen([Who(Kind.PERSON, "1", "b9")], 1001.0)
    sightings.seen([Who(Kind.PERSON, "1", "")], 1002.0)

    assert Sighting.objects.get(member="1").visitor == "b9"


def test_guests_are_forgotten_people_are_not() -> None:
    sightings.seen([ADA, GUEST], 1000.0)

    assert sightings.lost(1001.0) == 1
    assert sightings.last_seen("1") is not None
