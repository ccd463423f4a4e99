"""Response times: measured beside requests, which they never hold up or break."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client

from livecounters import samples, sources
from livecounters.gauges import Gauge
from livecounters.middleware import ResponseTimeMiddleware, timing
from livecounters.middleware.timing import A_SECOND, MOST, Timings
from livecounters.models import Sample
from livecounters.registry import LiveSite, registry

PATH = "livecounters.middleware.ResponseTimeMiddleware"
NOW = 1_772_366_400.0


class SiteLive(LiveSite):
    times = Gauge(sources.response_time, unit="ms")
    slower = Gauge(sources.response_time, every=60)
    other = Gauge(sources.uptime)


@pytest.fixture
def declared() -> Iterator[None]:
    registry.add_site(SiteLive)
    yield
    registry.remove(SiteLive)


@pytest.fixture
def timings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Timings]:
    """What requests are measured into, and nobody writes."""
    made = Timings(every=600)
    monkeypatch.setattr(timing, "timings", made)
    yield made
    made._kept.clear()


def taken(timings: Timings) -> list[float]:
    return [value for values in timings._kept.values() for value in values]


# The middleware


def test_without_a_gauge_it_steps_aside() -> None:
    with pytest.raises(MiddlewareNotUsed):
        ResponseTimeMiddleware(lambda request: HttpResponse())


def test_it_measures_a_request(declared: None, timings: Timings) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        begin = time.perf_counter()
        while time.perf_counter() < begin + 0.02:
            pass
        return HttpResponse("here")

    assert ResponseTimeMiddleware(view)(HttpRequest()).content == b"here"

    (milliseconds,) = taken(timings)
    assert 20 <= milliseconds < 10_000


async def test_it_measures_an_async_request(declared: None, timings: Timings) -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0.02)
        return HttpResponse("here")

    middleware = ResponseTimeMiddleware(view)

    assert iscoroutinefunction(middleware)
    assert (await middleware(HttpRequest())).content == b"here"
    (milliseconds,) = taken(timings)
    assert 19 <= milliseconds < 10_000


def test_what_fails_is_not_measured(declared: None, timings: Timings) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise SystemExit

    with pytest.raises(SystemExit):
        ResponseTimeMiddleware(view)(HttpRequest())

    assert taken(timings) == []


def test_in_a_site(declared: None, timings: Timings, settings: Any) -> None:
    settings.MIDDLEWARE = [PATH, *settings.MIDDLEWARE]

    assert Client().get("/nothing/here/").status_code == 404

    assert len(taken(timings)) == 1


async def test_in_an_async_site(declared: None, timings: Timings, settings: Any) -> None:
    settings.MIDDLEWARE = [PATH, *settings.MIDDLEWARE]

    assert (await AsyncClient().get("/nothing/here/")).status_code == 404

    assert len(taken(timings)) == 1


# What is measured


@pytest.mark.django_db
def test_it_is_written_for_each_gauge_that_wants_it(
    declared: None, timings: Timings, django_assert_num_queries: Any
) -> None:
    for n in range(10):
        timings.add(10 + n, NOW + 55 + n)

    timings.flush()

    assert Sample.objects.count() == 4
    assert set(Sample.objects.values_list("gauge", flat=True)) == {"site.times", "site.slower"}
    assert samples.latest(["site.times"], NOW + 65) == {"site.times": 14.5}
    with django_assert_num_queries(0):
        timings.flush()


def test_so_many_of_a_second_are_taken(timings: Timings) -> None:
    for n in range(A_SECOND + 50):
        timings.add(n, NOW + 0.001 * n)
    assert len(taken(timings)) == A_SECOND

    timings.add(1, NOW + 1)
    assert len(taken(timings)) == A_SECOND + 1


def test_so_many_wait_to_be_written(timings: Timings) -> None:
    for n in range(2 * MOST):
        timings.add(n, NOW + n)
    assert len(taken(timings)) == MOST

    timings.flush()
    timings.add(1, NOW)
    assert len(taken(timings)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_thread_writes_and_ends(declared: None) -> None:
    timings = Timings(every=0)
    for n in range(3):
        timings.add(n, NOW)
        timings.wait(30)

    assert sum(row.count for row in Sample.objects.filter(gauge="site.times")) == 3
    assert timings._thread is None


def test_one_thread_at_a_time(timings: Timings) -> None:
    before = threading.active_count()

    for n in range(500):
        timings.add(1, NOW + n)

    assert threading.active_count() == before + 1


def test_what_cannot_be_written_is_said_once(
    declared: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*given: Any) -> None:
        raise ConnectionError("the database is away")

    monkeypatch.setattr(samples, "record_many", failing)
    timings = Timings(every=0)

    with caplog.at_level(logging.WARNING, "livecounters"):
        for _ in range(3):
            timings.add(1, NOW)
            timings.wait(30)

    assert caplog.text.count("response times are not written") == 1
    assert taken(timings) == []


def test_where_no_thread_can_be_had(
    timings: Timings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)

    for n in range(2 * MOST):
        timings.add(1, NOW + n)

    assert caplog.text.count("can't start new thread") == 1
    assert len(taken(timings)) == MOST
