"""The browsers that somebody is here with, as ``live.devices`` answers them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.utils import translation

import livecounters as live
from livecounters.browsers import Device
from livecounters.presence import Changes, store
from livecounters.presence import Device as Kept

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
STAMP = NOW.timestamp()


def test_devices_of_all_processes() -> None:
    ada = User.objects.create(username="ada")
    key = str(ada.pk)
    for process, since, away in (("p", 60.0, True), ("q", 30.0, False)):
        laptop = Kept("b1", "Firefox/Linux", STAMP - since, 2, away, ("site",))
        phone = Kept("b2", "/", STAMP - 10, 1, away, ("classroom", "site"))
        some = (laptop, phone) if process == "q" else (laptop,)
        store().beat(process, Changes((), (), {}, True, {key: some}), STAMP, 60.0)

    with translation.override("en"):
        found = live.devices(ada, at=NOW)

    assert found == [
        Device("Firefox on Linux", NOW - dt.timedelta(seconds=60), False, 4, ("site",)),
        Device("Other browser", NOW - dt.timedelta(seconds=10), False, 1, ("classroom", "site")),
    ]
    assert live.devices(ada.pk, at=NOW) == found
    assert live.devices(ada, at=NOW + dt.timedelta(minutes=2)) == []


def test_nobody_else_has_them() -> None:
    ada, bob = User.objects.create(username="ada"), User.objects.create(username="bob")
    devices = {str(ada.pk): (Kept("", "Firefox/Linux", STAMP, 1),)}
    store().beat("p", Changes((), (), {}, True, devices), STAMP, 60.0)

    assert live.devices(bob, at=NOW) == []
