"""How the whole site's counting goes."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from livecounters import leases, samples
from livecounters.models import Delta, Measured
from livecounters.reporter import PREFIX
from livecounters.telemetry import LAG
from livecounters.vitals import as_mapping, metrics, minute_of
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def found() -> dict[str, float]:
    return as_mapping(metrics(NOW))


def test_the_minute_that_all_have_reported() -> None:
    assert minute_of(600 + 14) == 480
    assert minute_of(600 + 15) == 540


def test_what_happened_in_the_last_minute() -> None:
    minute = minute_of(NOW.timestamp())
    for sockets, frames, lag in ((3, 10, 0.5), (4, 20, 0.25)):
        said = {"sockets": sockets, "frames": frames, LAG: lag}
        samples.report({PREFIX + name: value for name, value in said.items()}, minute)

    assert found()["livecounters_sockets"] == 7
    assert found()["livecounters_frames_per_minute"] == 30
    assert found()["livecounters_pump_lag_seconds"] == 0.5
    assert found()["livecounters_slow_closes_per_minute"] == 0


def test_the_pump_and_other_leases() -> None:
    assert "livecounters_pump_idle_seconds" not in found()
    assert found()["livecounters_healthy"] == 0

    leases.hold(leases.PUMP, "a", NOW, 15, "default")
    leases.hold("viewers:a", "a", NOW, 15, "default")
    leases.hold("viewers:b", "b", NOW - dt.timedelta(seconds=99), 15, "default")

    assert found()["livecounters_pump_idle_seconds"] == 0
    assert found()["livecounters_healthy"] == 1
    assert found()['livecounters_leases{kind="pump"}'] == 1
    assert found()['livecounters_leases{kind="viewers"}'] == 1
    assert found()['livecounters_leases{kind="repair"}'] == 0


def test_what_is_pending_and_wrong() -> None:
    before = found()
    assert before['livecounters_pending_deltas{database="default"}'] == 0
    quiz = Quiz.objects.create(title="Fractions")
    Attempt.objects.create(quiz=quiz, completed=True, score=100, completed_at=NOW)
    Measured.objects.filter(names__contains="host.attempts").update(drift=2)

    after = found()

    assert after['livecounters_pending_deltas{database="default"}'] == Delta.objects.count() > 0
    # Where there is one writer, events are numbered by the triggers.
    numbered = connection.vendor == "sqlite"
    assert (after["livecounters_pending_events"] == 0) is numbered
    assert after['livecounters_drift_buckets{database="default"}'] == 2
    assert after['livecounters_tables{database="default",state="missing"}'] == 0


def test_names_are_together_and_said_once() -> None:
    names = [metric.name for metric in metrics(NOW)]

    assert [
        name for n, name in enumerate(names) if name in names[:n] and names[n - 1] != name
    ] == []
    assert all(name.startswith("livecounters_") for name in names)
