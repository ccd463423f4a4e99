"""Samples: what is added adds up, whoever adds it, and what is old is not known."""

from __future__ import annotations

import datetime as dt
import math
import statistics
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import livecounters as live
from livecounters import retention, samples
from livecounters.exceptions import UnknownName
from livecounters.gauges import Fed, Gauge, Online
from livecounters.histogram import ERROR
from livecounters.models import Sample
from livecounters.registry import LiveSite, registry
from livecounters.samples import latest, record, record_many, series
from livecounters.windows import DAY

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
NOW = START.timestamp()


class SiteLive(LiveSite):
    queue = Gauge(lambda: 0)
    slow = Gauge(lambda: 0, every=3600)
    times = Gauge(Fed())
    sampled_room = Online(room="sampled")


QUEUE, SLOW, TIMES = "site.queue", "site.slow", "site.times"
ROOM = "site.sampled_room"


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    registry.add_site(SiteLive)
    yield
    registry.remove(SiteLive)


def numbers(**given: Any) -> list[Any]:
    given = {"window": live.last(minutes=3), "step": "minute", "moment": START} | given
    return [value for _, value in series(given.pop("gauge", QUEUE), **given)]


# Writing


def test_a_minute_adds_up() -> None:
    for value, after in ((4, 0), (-2.5, 10), (9, 59.9)):
        record(QUEUE, value, NOW + after)
    record(QUEUE, 1, NOW + 60)

    first, second = Sample.objects.order_by("minute")
    assert (first.gauge, first.minute, first.count, first.total) == (QUEUE, NOW, 3, 10.5)
    assert (first.low, first.high, first.last, first.at) == (-2.5, 9, 9, NOW + 59.9)
    assert sum(first.histogram.values()) == 3
    assert (second.minute, second.count, second.last) == (NOW + 60, 1, 1)


def test_what_comes_late_is_not_the_last() -> None:
    record(QUEUE, 1, NOW + 30)
    record(QUEUE, 2, NOW + 10)

    row = Sample.objects.get()
    assert (row.count, row.last, row.at) == (2, 1, NOW + 30)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(0, 179), st.lists(st.floats(-1e9, 1e9), max_size=20), st.booleans()),
        max_size=12,
    )
)
def test_however_they_come(portions: list[tuple[int, list[float], bool]]) -> None:
    """In portions or one by one, in any order of their times."""
    Sample.objects.all().delete()
    said: dict[int, list[float]] = {0: [], 60: [], 120: []}
    for after, values, at_once in portions:
        said[after // 60 * 60] += values
        if at_once:
            record_many(QUEUE, values, NOW + after)
        else:
            for value in values:
                record(QUEUE, value, NOW + after)

    def of_each(worth: Callable[[list[float]], float]) -> list[Any]:
        return [worth(values) if values else None for values in said.values()]

    def p95(values: list[float]) -> float:
        return sorted(values)[math.ceil(0.95 * len(values)) - 1]

    def told(what: str) -> list[Any]:
        return numbers(moment=START + dt.timedelta(minutes=2), what=what)

    assert told("count") == of_each(len)
    assert told("low") == of_each(min)
    assert told("high") == of_each(max)
    for value, mean in zip(told("mean"), of_each(statistics.fmean), strict=True):
        assert value is mean is None or value == pytest.approx(mean, abs=1e-4)
    for value, exact in zip(told("p95"), of_each(p95), strict=True):
        assert value is exact is None or value == pytest.approx(exact, rel=ERROR * 1.0001, abs=1e-9)


@pytest.mark.django_db(transaction=True)
def test_several_write_at_once() -> None:
    errors: list[BaseException] = []
    begin = threading.Barrier(4)

    def write(number: int) -> None:
        try:
            begin.wait(30)
            for n in range(15):
                record_many(QUEUE, [number, n], NOW + n)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors
    row = Sample.objects.get()
    assert (row.count, row.total) == (120, 15 * 6 + 4 * 105)
    assert (row.low, row.high, row.at) == (0, 14, NOW + 14)
    assert sum(row.histogram.values()) == 120


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"site\.queue: give finite numbers"):
        record_many(QUEUE, [1, value], NOW)

    assert not Sample.objects.exists()


def test_nothing_is_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        record_many(QUEUE, [], NOW)


def test_names_are_told_apart() -> None:
    record("site.A", 1, NOW)
    record("site.a", 2, NOW)

    assert Sample.objects.count() == 2


# The newest


def test_the_latest_of_many_in_one_query(django_assert_num_queries: Any) -> None:
    record(QUEUE, 4, NOW - 61)
    record(QUEUE, 5, NOW - 1)
    record(SLOW, 0.5, NOW - 7000)
    record(ROOM, 3, NOW - 100)
    record_many(TIMES, [10, 20, 33], NOW - 5)

    with django_assert_num_queries(1):
        found = latest([QUEUE, "slow", TIMES, ROOM], NOW)

    assert found == {QUEUE: 5, "slow": 0.5, TIMES: 21, ROOM: 3}
    assert isinstance(found[QUEUE], int)


def test_nothing_is_asked_of_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert latest([], NOW) == {}


@pytest.mark.parametrize(("gauge", "known_for"), [(QUEUE, 30), (SLOW, 3 * 3600), (ROOM, 180)])
@pytest.mark.parametrize("second", [0, 29, 59])
def test_what_is_old_is_not_known(gauge: str, known_for: int, second: int) -> None:
    record(gauge, 7, NOW + second)

    assert latest([gauge], NOW + second + known_for) == {gauge: 7}
    assert latest([gauge], NOW + second + known_for + 1) == {gauge: None}


def test_the_mean_of_the_last_minute() -> None:
    record_many(TIMES, [100], NOW - 61)
    record_many(TIMES, [10, 20], NOW - 60)
    record_many(TIMES, [60], NOW)

    assert latest([TIMES], NOW + 5) == {TIMES: 30}
    assert latest([TIMES], NOW + 60) == {TIMES: 60}
    assert latest([TIMES], NOW + 120) == {TIMES: None}


def test_an_unknown_name() -> None:
    with pytest.raises(UnknownName, match="queue"):
        latest(["site.quue"], NOW)
    with pytest.raises(UnknownName, match="queue"):
        numbers(gauge="site.quue")


# Series


def test_steps_and_gaps() -> None:
    record(QUEUE, 1, NOW - 120)
    record(QUEUE, 4, NOW - 110)
    record(QUEUE, 9, NOW + 3)
    # Before and after.
    record(QUEUE, 100, NOW - 121)
    record(QUEUE, 100, NOW + 60)

    found = series(QUEUE, live.last(minutes=3), "minute", START)

    assert [value for _, value in found] == [2.5, None, 9]
    assert [point.running for point in found] == [False, False, True]
    assert [point.start for point in found] == [START - dt.timedelta(minutes=n) for n in (2, 1, 0)]
    assert found.csv().count("\r\n") == 4


def test_steps_of_many_minutes(django_assert_num_queries: Any) -> None:
    for n in range(100):
        record(QUEUE, n + 1, NOW - 3600 + 30 * n)
    window = {"window": live.last(hours=2), "step": "hour"}

    with django_assert_num_queries(5):
        found = {what: numbers(what=what, **window) for what in ("mean", "low", "high", "count")}
        (p95, running) = numbers(what="p95", **window)

    assert found == {"mean": [50.5, None], "low": [1, None], "high": [100, None]} | {
        "count": [100, None]
    }
    assert p95 == pytest.approx(95, rel=ERROR)
    assert running is None


def test_a_day_may_have_23_hours() -> None:
    """The clocks of Paris went forward on the 29th."""
    noon = dt.datetime(2026, 3, 30, 12, tzinfo=dt.UTC)
    for hours in range(80):
        record(QUEUE, 1, noon.timestamp() - 3600 * hours)

    found = series(QUEUE, live.last(days=3), "day", noon, "count")

    assert [value for _, value in found] == [24, 23, 15]


def test_a_single_value_is_exact() -> None:
    record(QUEUE, 123.4, NOW)

    assert numbers(what="p95")[-1] == 123.4
    assert numbers(what="mean")[-1] == 123.4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"what": "median"}, "what='median': choose one of 'mean', 'low', 'high', 'p95', 'count'"),
        ({"step": "week"}, "step='week': choose one of 'minute'"),
        ({"window": live.ever}, "window with a beginning"),
    ],
)
def test_what_cannot_be_asked(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        numbers(**given)


# Pruning


def test_old_minutes_go(settings: Any) -> None:
    for gauge in (QUEUE, SLOW):
        for days in (0, 29.9, 30.1, 31, 40):
            record(gauge, 1, NOW - days * DAY)

    removed = retention.prune("default", START)

    assert removed["sample"] == 6
    assert Sample.objects.count() == 4
    assert not retention.prune("default", START)["sample"]
    settings.LIVECOUNTERS = {"RETENTION": {"samples": None}}
    assert not retention.prune("default", START + dt.timedelta(days=400))["sample"]
    settings.LIVECOUNTERS = {"RETENTION": {"samples": 1}}
    assert retention.prune("default", START)["sample"] == 2


def test_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PORTION", 10)
    for n in range(25):
        record(QUEUE, 1, NOW - 60 * n)

    found = [n for what, n in retention.portions("default", START + dt.timedelta(days=31))]

    assert found == [10, 10, 5]


def test_they_are_in_one_database() -> None:
    assert samples.database() == "default"
    assert "default" in retention.databases()
