"""The sampler: in time, once for all processes, and whatever sources do."""

from __future__ import annotations

import datetime as dt
import logging
import math
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from livecounters import samples
from livecounters.gauges import Active, Fed, Gauge, Online
from livecounters.models import Sample
from livecounters.presence import Changes, Kind, Who, store
from livecounters.presence.base import Came
from livecounters.pump import Pump
from livecounters.registry import LiveSite, Registry, registry
from livecounters.sampler import Sampler

pytestmark = pytest.mark.django_db(transaction=True)

# At the beginning of an hour, so that every gauge's turn comes with it.
NOW = timezone.now().replace(minute=0, second=0, microsecond=0)


def later(seconds: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


Declare = Callable[..., Sampler]


@pytest.fixture
def declare() -> Iterator[Declare]:
    """Makes a sampler of a site that declares these gauges and no others."""
    made: list[type[LiveSite]] = []

    def declare(**gauges: Any) -> Sampler:
        live = type("Declared", (LiveSite,), {"__module__": "site"} | gauges)
        own = Registry()
        for names in (own, registry):
            names.add_site(live)
        made.append(live)
        return Sampler(own)

    yield declare
    for live in made:
        registry.remove(live)


def visit(sampler: Sampler, seconds: float) -> set[str]:
    """Ask, wait for the answers, and take them."""
    changed = sampler.visit(later(seconds))
    sampler.wait(30)
    return changed | sampler.visit(later(seconds))


def last(name: str) -> float:
    return Sample.objects.filter(gauge=f"site.{name}").latest("minute").last


def count(name: str) -> int:
    return sum(row.count for row in Sample.objects.filter(gauge=f"site.{name}"))


def test_once_in_its_time(declare: Declare) -> None:
    sampler = declare(often=Gauge(lambda: 1, every=2), seldom=Gauge(lambda: 1, every=60))

    for tenths in range(0, 1200, 5):
        visit(sampler, tenths / 10)

    assert (count("often"), count("seldom")) == (60, 2)


def test_late_looks_do_not_add_up(declare: Declare) -> None:
    """A pump that rests looks every three seconds: every ten seconds it asks all the same."""
    sampler = declare(queue=Gauge(lambda: 1, every=10))

    for seconds in range(0, 102, 3):
        visit(sampler, seconds)

    assert count("queue") == 10


def test_changes_are_told(declare: Declare) -> None:
    values = iter([5, 5.0, 6, Decimal("6.5"), None, 6.5])
    sampler = declare(queue=Gauge(lambda: next(values)))

    told = [visit(sampler, 10 * n) for n in range(6)]

    assert told == [{"site.queue"}, set(), {"site.queue"}, {"site.queue"}, set(), set()]
    assert (count("queue"), last("queue")) == (5, 6.5)


def test_what_is_not_known_any_more_is_told_once(declare: Declare) -> None:
    values = iter([5])
    sampler = declare(queue=Gauge(lambda: next(values, None)))
    visit(sampler, 0)

    told = [visit(sampler, 10 * n) for n in range(1, 7)]

    assert told == [set(), set(), set(), {"site.queue"}, set(), set()]
    assert samples.latest(["site.queue"], later(40).timestamp()) == {"site.queue": None}


def test_a_site_without_gauges(django_assert_num_queries: Any) -> None:
    before = threading.active_count()
    sampler = Sampler(Registry())

    with django_assert_num_queries(0):
        for n in range(100):
            assert sampler.visit(later(n)) == set()
    assert threading.active_count() == before


def test_while_nothing_is_due_nothing_is_asked(
    declare: Declare, django_assert_num_queries: Any
) -> None:
    sampler = declare(queue=Gauge(lambda: 5), online=Online(), times=Gauge(Fed()))
    visit(sampler, 0)

    with django_assert_num_queries(0):
        for tenths in range(1, 100):
            visit(sampler, tenths / 10)


# Sources that are not well


def test_a_slow_source_holds_nobody_up_and_is_not_asked_twice(declare: Declare) -> None:
    go_on, asked = threading.Event(), []

    def slow() -> int:
        asked.append(1)
        go_on.wait(30)
        return 8

    sampler = declare(slow=Gauge(slow), quick=Gauge(lambda: 1))
    for n in range(5):
        sampler.visit(later(10 * n))
        sampler._asking["site.quick"].join(30)
    sampler.visit(later(41))

    assert (len(asked), count("quick"), count("slow")) == (1, 5, 0)
    go_on.set()
    sampler.wait(30)
    assert sampler.visit(later(42)) == {"site.slow"}
    assert last("slow") == 8
    visit(sampler, 50)
    assert len(asked) == 2


def test_a_source_that_raises_is_told_once_for_each_kind(
    declare: Declare, caplog: pytest.LogCaptureFixture
) -> None:
    errors = iter([ZeroDivisionError, ZeroDivisionError, KeyError, ZeroDivisionError])

    def broken() -> int:
        raise next(errors, RuntimeError)("the source is broken")

    sampler = declare(broken=Gauge(broken), well=Gauge(lambda: 1))
    with caplog.at_level(logging.ERROR, "livecounters"):
        for n in range(4):
            visit(sampler, 10 * n)

    assert [record.getMessage() for record in caplog.records] == [
        "livecounters: no sample of site.broken."
    ] * 2
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [
        ZeroDivisionError,
        KeyError,
    ]
    assert (count("broken"), count("well")) == (0, 4)


@pytest.mark.parametrize("value", ["5", math.nan, math.inf, Decimal("nan"), [5], 10**400])
def test_a_source_that_says_no_number(
    declare: Declare, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    sampler = declare(odd=Gauge(lambda: value))

    assert visit(sampler, 0) == set()

    assert "no sample of site.odd" in caplog.text
    assert not Sample.objects.exists()


def test_what_cannot_be_kept(
    declare: Declare, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = samples.record

    def failing(gauge: str, value: float, now: float) -> None:
        if gauge == "site.odd":
            raise ValueError("out of range")
        record(gauge, value, now)

    monkeypatch.setattr(samples, "record", failing)
    sampler = declare(odd=Gauge(lambda: 1), well=Gauge(lambda: 1))

    assert visit(sampler, 0) == {"site.well"}
    assert visit(sampler, 10) == set()
    assert caplog.text.count("no sample of site.odd") == 1


# Rooms


def enter(room: str, *keys: str) -> None:
    came = [Came(room, Who(Kind.PERSON, key), NOW.timestamp()) for key in keys]
    store().beat("process", Changes(came=came, whole=True), NOW.timestamp(), 600)


def test_rooms_are_counted_once_a_minute(declare: Declare) -> None:
    sampler = declare(online=Online(), hall=Online(room="hall"), active=Active())
    enter("hall", "1", "2")

    for seconds in range(0, 121, 10):
        # Everybody is told when it changes, and by somebody else.
        assert visit(sampler, seconds) == set()

    assert (count("hall"), last("hall")) == (3, 2)
    assert (count("online"), last("online")) == (3, 0)
    assert not Sample.objects.filter(gauge="site.active").exists()


def test_a_store_that_is_gone(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*given: Any) -> None:
        raise ConnectionError("no server")

    monkeypatch.setattr(type(store()), "counts", gone)
    sampler = declare(online=Online(), queue=Gauge(lambda: 1))

    assert visit(sampler, 0) == {"site.queue"}
    assert count("online") == 0


# What is handed in


def test_what_is_fed_is_not_asked_and_told_when_it_changes(declare: Declare) -> None:
    sampler = declare(times=Gauge(Fed()))
    assert visit(sampler, 0) == set()
    samples.record_many("site.times", [10, 20], later(1).timestamp())

    assert visit(sampler, 9) == set()
    assert visit(sampler, 10) == {"site.times"}
    assert visit(sampler, 20) == set()
    assert visit(sampler, 130) == {"site.times"}
    assert count("times") == 2


# In the pump


def test_the_pump_of_the_site_asks_and_announces(declare: Declare) -> None:
    declare(queue=Gauge(lambda: 5))
    first, second = Pump(), Pump()

    for n in range(4):
        for pump in (first, second):
            announcement, _ = pump.tick(later(n))
            pump.rest(30)
            if n == 1:
                told = announcement and set(announcement.numbers.get("gauge") or ())
                assert told == ({"site.queue"} if pump is first else None)

    assert count("queue") == 1
    first.close()
    second.close()
