"""Health: what is red, and when."""

from __future__ import annotations

import datetime as dt
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from livecounters import capture, health, leases
from livecounters.dialects import dialect_of
from livecounters.health import Health
from livecounters.models import Lease
from tests.processes import process

pytestmark = pytest.mark.django_db

NOW = timezone.now()
WELL = Health(True, True, True)


def later(seconds: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    health._recent.at = None
    yield
    health._recent.at = None


@pytest.fixture
def pump() -> None:
    leases.hold(leases.PUMP, "pump 1", NOW, 15, "default")


def test_all_is_well(pump: None) -> None:
    assert health.health(NOW) == WELL
    assert WELL.ok


def test_no_pump_has_ever_been_at_work() -> None:
    found = health.health(NOW)

    assert found == Health(True, True, False)
    assert not found.ok


def test_the_pump_is_gone(pump: None, settings: Any) -> None:
    assert health.health(later(15 + 30)).ok
    assert not health.health(later(15 + 31)).ok

    settings.LIVECOUNTERS = {**settings.LIVECOUNTERS, "PUMP_PATIENCE": 600}
    assert health.health(later(15 + 31)).ok


def test_a_pump_that_was_stopped_is_waited_for(pump: None) -> None:
    leases.lapse(leases.PUMP, "pump 1", later(5), "default")

    assert leases.idle(leases.PUMP, later(25), "default") == 20.0
    assert health.health(later(35)).ok
    assert not health.health(later(36)).ok


def test_a_site_without_a_pump(settings: Any) -> None:
    settings.LIVECOUNTERS = {**settings.LIVECOUNTERS, "PUMP_PATIENCE": None}

    assert health.health(NOW) == Health(True, True, None)
    assert health.health(NOW).ok


def test_a_pump_that_comes_to_no_end(pump: None) -> None:
    leases.hold(leases.FAILING, "pump 1", NOW, 15, "default")

    assert not health.health(NOW).ok


def test_triggers_are_missing(pump: None) -> None:
    capture.remove(dialect_of("default"), "host_attempt")

    assert health.health(NOW) == Health(True, False, True)


def test_a_database_that_does_not_answer(pump: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(capture, "states", fail)

    assert health.health(NOW) == Health(False)
    assert not Health(False).ok


def test_however_many_ask_one_looks(pump: None, django_assert_num_queries: Any) -> None:
    assert health.recent_health(NOW) == WELL
    Lease.objects.all().delete()

    with django_assert_num_queries(0):
        assert health.recent_health(later(0.9)) == WELL
    assert not health.recent_health(later(1.1)).ok


@pytest.mark.django_db(transaction=True)
def test_it_is_red_when_the_pump_was_killed(
    process_environment: dict[str, str], settings: Any
) -> None:
    settings.LIVECOUNTERS = {**settings.LIVECOUNTERS, "PUMP_PATIENCE": 5}
    client = Client()
    # Another process writes while this one reads.
    assert connection.vendor != "sqlite" or connection.settings_dict["NAME"] != ":memory:"

    with process(["-m", "django", "livecounters", "run"], process_environment) as started:
        until(client, 200)
        assert client.get("/live/health/").json() == WELL.as_json()
        started.send_signal(signal.SIGKILL)
        started.wait()

        until(client, 503)

    assert client.get("/live/health/").json()["pump"] is False


def until(client: Client, status: int) -> None:
    end = time.monotonic() + 60
    while client.get("/live/health/").status_code != status:
        assert time.monotonic() < end
        time.sleep(0.2)
