"""How measures stand: in force, or counted from their source and why."""

from __future__ import annotations

import pytest

import livecounters as live
from livecounters import capture, installation
from livecounters.models import Measured
from livecounters.standing import Standing, standing_of, standings

pytestmark = pytest.mark.django_db


def attempts() -> Standing:
    return standing_of(live.counters["attempts"].measure)


def test_all_are_in_force() -> None:
    found = standings("default")

    assert all(one.in_force and one.installed and not one.trouble for one in found)
    names = [name for one in found for name in one.names]
    assert sorted(names) == sorted(live.counters)
    assert attempts().since is not None


def test_without_triggers() -> None:
    capture.detach("default", ["host_attempt"])

    one = attempts()

    assert (one.triggers, one.in_force, one.installed, one.since) == ("missing", False, False, None)
    assert one.trouble.startswith("no triggers capture it from host_attempt")


def test_triggers_and_no_numbers_yet() -> None:
    Measured.objects.filter(tables__has_key="host_attempt").update(ready=False)

    one = attempts()

    assert (one.in_force, one.installed) == (False, True)
    assert one.trouble.endswith("run manage.py livecounters rebuild")


def test_above_a_floor_it_stays_in_force() -> None:
    Measured.objects.update(ready=False, floor=0)

    assert attempts().in_force
    assert attempts().trouble


def test_whether_it_stands_as_before() -> None:
    before = attempts()
    assert before.unchanged()

    capture.detach("default", ["host_attempt"])
    assert not before.unchanged()
    installation.sync("default")
    assert not before.unchanged()
    assert attempts().unchanged()
