"""Goals: declared, and a person's own from a day on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

import livecounters as live
from livecounters.goals import declared_goals, goals_of, set_goal
from livecounters.registry import CounterEntry, registry
from tests.host.models import Attempt

pytestmark = pytest.mark.django_db

MONDAY = dt.date(2026, 3, 9)
ONE = dt.timedelta(days=1)


class Learning(live.LiveModel):
    at = "completed_at"

    sessions = live.Count(per="user", goals={"month": 40, "day": live.Goal(3, 1, 10)})
    silent = live.Count(per="user")


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


@pytest.fixture
def sessions() -> CounterEntry:
    return registry.counters.get("sessions")


def wanted(entry: CounterEntry, day: dt.date, person: str = "1", period: str = "day") -> int:
    return goals_of(person, [entry])[entry.full_name].on(period, day)


def test_as_declared(sessions: CounterEntry) -> None:
    assert list(declared_goals(sessions)) == ["day", "month"]
    assert declared_goals(sessions)["month"] == live.Goal(40, 1, 1000)
    assert declared_goals(registry.counters.get("silent")) == {}
    assert wanted(sessions, MONDAY) == 3


def test_one_s_own_counts_from_its_day_on(sessions: CounterEntry) -> None:
    set_goal("1", sessions, "day", 5, MONDAY)
    set_goal("1", sessions, "day", 7, MONDAY + 2 * ONE)
    set_goal("1", sessions, "day", 6, MONDAY + 2 * ONE)

    days = [wanted(sessions, MONDAY + n * ONE) for n in (-1, 0, 1, 2, 3)]
    assert days == [3, 5, 5, 6, 6]
    assert wanted(sessions, MONDAY, person="2") == 3
    assert wanted(sessions, MONDAY, period="month") == 40


@pytest.mark.parametrize(
    ("period", "target", "message"),
    [("day", 11, "from 1 to 10"), ("day", True, "from 1 to 10"), ("week", 3, "no goal for a week")],
)
def test_what_cannot_be_set(sessions: CounterEntry, period: str, target: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        set_goal("1", sessions, period, target, MONDAY)


def test_one_query_for_all(sessions: CounterEntry, django_assert_num_queries: object) -> None:
    assert callable(django_assert_num_queries)
    with django_assert_num_queries(1):
        goals_of("1", [sessions, registry.counters.get("silent")])
