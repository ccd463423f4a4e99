"""Sources that are ready made."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import time_machine

import livecounters as live
from livecounters import sources
from livecounters.gauges import Fed


def test_each_will_do_for_a_gauge() -> None:
    for name in sources.__all__:
        assert callable(live.Gauge(getattr(sources, name)).source)


def test_uptime_is_that_of_the_process() -> None:
    program = """
import time
from livecounters import sources
assert sources.uptime() == 0
sources._STARTED -= 90.5
assert sources.uptime() == 90, sources.uptime()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_uptime_does_not_mind_a_clock_that_is_set() -> None:
    before = sources.uptime()
    with time_machine.travel(0):
        assert before <= sources.uptime() <= before + 60


@pytest.mark.django_db
def test_a_round_trip_is_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        found = sources.database_round_trip()

    assert 0 < found < 10_000


@pytest.mark.django_db
def test_a_round_trip_leaves_nothing_behind(django_assert_num_queries: Any) -> None:
    from django.db import connection

    sources.database_round_trip()

    assert connection.is_usable()


def test_response_times_are_handed_in() -> None:
    assert isinstance(sources.response_time, Fed)
    assert live.Gauge(sources.response_time).fed
    assert sources.response_time() is None
    assert not live.Gauge(sources.uptime).fed
