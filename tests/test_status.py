"""How it goes, and what is not as it should be."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

import livecounters as live
from livecounters import audit, leases
from livecounters.models import Bucket, Delta, Measured
from livecounters.status import BACKLOG, Status, status_of
from tests.host.models import Attempt, Quiz

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def status() -> Status:
    return status_of("default", NOW)


def key(name: str) -> str:
    return live.counters[name].measure.key


def test_nothing_is_the_matter() -> None:
    found = status()

    assert found.problems == []
    assert (found.pending, found.oldest, found.pump, found.repairing) == (0, None, None, [])


def test_leases() -> None:
    leases.hold("pump", "pump 1", NOW, 15, "default")
    leases.hold(f"repair:{key('attempts')}", "somebody", NOW, 15, "default")
    leases.hold(f"repair:{key('per_quiz')}", "gone", NOW - dt.timedelta(seconds=60), 15, "default")

    found = status()

    assert found.pump is not None
    assert found.pump.holder == "pump 1"
    assert "host.attempts" in found.repairing
    assert "host.per_quiz" not in found.repairing


def test_drift_of_the_last_audits() -> None:
    Bucket.objects.create(measure=key("attempts"), scope="", grain=0, start=0, count=3)
    audit.verify(live.counters["attempts"].measure, now=NOW)

    assert status().drift == 1
    (problem,) = status().problems
    assert problem.startswith("host.attempts host.attempts_today")
    assert "1 wrong bucket at the last audit: run manage.py livecounters rebuild" in problem

    audit.repair(live.counters["attempts"].measure, now=NOW)
    assert status().problems == []


def test_since_when_everything_is_audited() -> None:
    Measured.objects.update(audited_at=NOW)
    Measured.objects.filter(measure=key("sales")).update(audited_at=NOW - dt.timedelta(days=3))
    assert status().audited_at == NOW - dt.timedelta(days=3)

    Measured.objects.filter(measure=key("sales")).update(audited_at=None)
    assert status().audited_at is None


def test_the_oldest_pending_change_by_its_row() -> None:
    quiz = Quiz.objects.create(title="Fractions")
    long_ago = NOW - dt.timedelta(days=2)
    Attempt.objects.create(quiz=quiz, completed=True, completed_at=long_ago)

    found = status()

    assert found.pending > 0
    assert found.oldest is not None
    assert dt.timedelta(0) <= long_ago - found.oldest < dt.timedelta(minutes=15)


def test_a_backlog() -> None:
    one = {"measure": key("attempts"), "scope": "", "member": "", "count": 0, "total": 0}
    Delta.objects.bulk_create(Delta(**one) for _ in range(BACKLOG + 1))

    assert status().problems == [f"{BACKLOG + 1} deltas are pending: no pump is at work"]
    leases.hold("pump", "pump 1", NOW, 15, "default")
    assert status().problems == [f"{BACKLOG + 1} deltas are pending: the pump does not keep up"]


def test_a_measure_that_is_not_ready() -> None:
    Measured.objects.filter(measure=key("sales")).update(ready=False)

    (problem,) = status().problems

    assert problem.startswith("host.sales host.sales_today: what was there before its triggers")
    assert status().as_json()["not_ready"].keys() == {"host.sales", "host.sales_today"}
