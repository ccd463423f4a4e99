"""Summonses: taken once, by the pump, whoever left them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from livecounters import awards, goals
from livecounters.judges import PROGRESS
from livecounters.models import Achievement, Summons
from livecounters.pump import Pump
from livecounters.registry import registry
from livecounters.summonses import summon, summoned

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("learning")]

NOW = timezone.now()


def test_each_is_taken_once() -> None:
    for person in ("2", "1", "2"):
        summon(person)

    assert summoned() == ["2", "1"]
    assert summoned() == []


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


def reached(ada: User) -> Achievement:
    return Achievement.objects.create(
        person=str(ada.pk), counter="host.sessions", kind="total", step=10, at=NOW
    )


def seen(ada: User) -> Any:
    awards.mark_seen(str(ada.pk))


def read(ada: User) -> Any:
    awards.mark_read(str(ada.pk))


def revoked(ada: User) -> Any:
    awards.revoke(Achievement.objects.get())


def aimed(ada: User) -> Any:
    entry = registry.counters.get("sessions")
    goals.set_goal(str(ada.pk), entry, "week", 20, NOW.date())


@pytest.mark.parametrize("change", [seen, read, revoked, aimed])
def test_what_somebody_changes_is_told_to_their_pages(ada: User, change: Any) -> None:
    reached(ada)
    pump = Pump()
    pump.tick(NOW)
    change(ada)

    pump.tick(NOW)
    pump.rest(30)
    pump._judge.wait(30)
    told, _ = pump.tick(NOW)

    assert told is not None
    assert set(told.numbers[PROGRESS] or ()) == {str(ada.pk)}
    assert not Summons.objects.exists()


def test_what_changes_nothing_summons_nobody(ada: User) -> None:
    awards.mark_seen(str(ada.pk))

    assert not Summons.objects.exists()
