"""All live numbers by name: counters and gauges side by side."""

from __future__ import annotations

import pytest

import livecounters as live
from livecounters.exceptions import AlreadyDeclared, UnknownName
from livecounters.meters import Meter
from livecounters.numbers import Question, counters, read
from livecounters.readers import Counter
from livecounters.registry import registry
from tests.host.models import Attempt

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rooms")]


def test_both_are_found_by_name() -> None:
    assert isinstance(counters["attempts"], Counter)
    assert isinstance(counters["online"], Meter)
    assert isinstance(live.counters["host.online"], Meter)
    assert "online" in counters
    assert "nothing" not in counters
    assert {"host.online", "host.attempts"} <= set(counters)
    assert len(counters) == len(list(counters))
    with pytest.raises(UnknownName, match="online"):
        counters["onlin"]


def test_both_are_read_at_once() -> None:
    found = read([Question(counters["online"]), Question(counters["attempts"])])

    assert found == [0, 0]


def test_a_gauge_has_no_window() -> None:
    with pytest.raises(ValueError, match="is a gauge"):
        read([Question(counters["online"], "", live.today)])


def test_a_name_is_one_of_both() -> None:
    class Twice(live.LiveModel):
        online = live.Count()

    with pytest.raises(AlreadyDeclared, match=r"host\.online"):
        registry.add(Attempt, Twice)
    assert "online" not in registry.counters._entries
