"""Gauges as they are declared; what they say is in test_samples, test_sampler and test_meters."""

from __future__ import annotations

from typing import Any

import pytest

import livecounters as live
from livecounters.gauges import Fed
from livecounters.registry import Registry
from tests.host.models import Quiz


def test_what_a_gauge_is_declared_with() -> None:
    gauge = live.Gauge(len, every=60, unit="ms", label="Waiting", public=True)  # type: ignore[arg-type]

    assert (gauge.every, gauge.unit, gauge.label, gauge.public) == (60, "ms", "Waiting", True)
    assert live.Gauge(lambda: 1).every == 10
    assert not gauge.fed
    assert live.Gauge(Fed()).fed


@pytest.mark.parametrize("every", [0, -1, 0.5, 10.0, True, "10", None])
def test_every_is_in_whole_seconds(every: Any) -> None:
    with pytest.raises(ValueError, match=r"live\.Gauge\(every=.*give whole seconds, 1 or more"):
        live.Gauge(lambda: 1, every=every)


@pytest.mark.parametrize("source", [5, None, "tests.host.models.Quiz.count"])
def test_a_source_is_a_function(source: Any) -> None:
    with pytest.raises(TypeError, match="give a function without arguments"):
        live.Gauge(source)


@pytest.mark.parametrize("window", [live.today, live.last(minutes=1), None])
def test_a_window_that_is_too_short_or_of_the_calendar(window: Any) -> None:
    with pytest.raises(ValueError, match=r"give live\.last\(minutes=2\) or longer"):
        live.Active(window=window)


@pytest.mark.parametrize("room", ["a room", "x" * 51, "ä", "quiz:1"])
def test_the_name_of_a_room(room: str) -> None:
    with pytest.raises(ValueError, match="a room has up to 50 letters"):
        live.Online(room=room)


def test_only_rooms_are_about_objects() -> None:
    live_model = type("Declared", (live.LiveModel,), {"gauge": live.Gauge(lambda: 1)})

    with pytest.raises(TypeError, match=r"only live\.Online can be about the objects of a model"):
        Registry().add(Quiz, live_model)


def test_a_counter_belongs_to_a_model() -> None:
    site = type("Declared", (live.LiveSite,), {"number": live.Count()})

    with pytest.raises(TypeError, match="a counter counts the rows of a model"):
        Registry().add_site(site)
