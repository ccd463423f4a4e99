"""Meters: what gauges say, and that a store that is away is no error of a page."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from django.contrib.auth.models import User

import livecounters as live
from livecounters import meters, samples, sightings
from livecounters.meters import Meter
from livecounters.numbers import counters
from livecounters.presence import Changes, Kind, Who, store
from livecounters.presence.base import Came
from livecounters.presence.database import DatabasePresence
from livecounters.registry import registry
from tests.host.models import Quiz

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rooms")]


def come(room: str, *whos: Who, process: str = "p") -> float:
    now = time.time()
    came = [Came(room, who, now + n) for n, who in enumerate(whos)]
    assert store().beat(process, Changes(came, (), {room: len(whos)}, True), now, 60.0)
    return now


def test_the_store_of_the_settings(settings: Any) -> None:
    assert isinstance(store(), DatabasePresence)
    settings.LIVECOUNTERS = {"PRESENCE": {"BACKEND": "tests.test_meters.Other"}}
    assert isinstance(store(), Other)


class Other(DatabasePresence):
    pass


def test_one_question_for_all_rooms(django_assert_max_num_queries: Any) -> None:
    quizzes = [Quiz.objects.create(title=f"q{n}") for n in range(3)]
    come(f"host.readers:{quizzes[1].pk}", Who(Kind.PERSON, "1"), Who(Kind.GUEST, "g"))

    with django_assert_max_num_queries(3):
        found = counters["readers"].values(of=quizzes)

    assert [found[quiz] for quiz in quizzes] == [0, 2, 0]
    assert counters["readers"].value(of=quizzes[1].pk) == 2
    assert counters["readers"].counts(of=quizzes[1]).people == 1


def test_a_moment_may_be_asked_about() -> None:
    now = come("site", Who(Kind.PERSON, "1"))
    later = dt.datetime.fromtimestamp(now + 61, dt.UTC)

    assert counters["online"].value() == 1
    assert counters["online"].value(at=later) == 0


def test_active_counts_who_was_here() -> None:
    now = time.time()
    sightings.seen([Who(Kind.PERSON, "1"), Who(Kind.GUEST, "g")], now - 600)

    assert counters["active"].value() == 2
    assert counters["active"].value(at=dt.datetime.fromtimestamp(now + 600, dt.UTC)) == 0


def test_a_roster_of_users(django_assert_num_queries: Any) -> None:
    users = [User.objects.create(username=f"u{n}") for n in range(3)]
    gone = Who(Kind.PERSON, "999999")
    come("classroom", *(Who(Kind.PERSON, str(user.pk)) for user in users), gone)

    with django_assert_num_queries(3):
        found = counters["classroom"].roster()

    assert [one.user for one in found] == users
    assert all(one.since.tzinfo for one in found)
    with pytest.raises(TypeError, match="roster=True"):
        counters["online"].roster()


def test_what_a_gauge_cannot() -> None:
    with pytest.raises(TypeError, match="no of="):
        counters["online"].value(of=1)
    with pytest.raises(TypeError, match="give of="):
        counters["readers"].value()
    with pytest.raises(TypeError, match="no room"):
        counters["active"].counts()
    with pytest.raises(TypeError, match="not kept as history"):
        counters["active"].series(window=live.last(hours=1))


def test_a_store_that_is_away(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def fail(*given: Any) -> None:
        raise ConnectionError("away")

    asked: list[int] = []
    monkeypatch.setattr(DatabasePresence, "counts", lambda *given: asked.append(1) or fail())

    assert counters["online"].value() is None
    assert meters.counts(["site"], 0.0) == {}
    assert "does not answer" in caplog.text
    # Nobody but the first has waited for it.
    assert asked == [1]
    meters.ask_again()
    assert counters["online"].value() is None
    assert asked == [1, 1]


def test_history_of_who_was_online() -> None:
    now = dt.datetime.now(dt.UTC)
    samples.record("host.online", 3, now.timestamp())
    samples.record("host.online", 5, now.timestamp())

    found = counters["online"].series(window=live.last(hours=1), step="minute")

    assert found[-1].running
    assert 4 in [value for _, value in found]


def test_whether_presence_is_wanted() -> None:
    assert meters.presence_declared()
    names = [gauge.name for gauge in registry.gauges]
    assert names == ["online", "classroom", "staffroom", "active", "readers"]
    assert {Meter(gauge).room("7") for gauge in registry.gauges if gauge.model} == {
        "host.readers:7"
    }
