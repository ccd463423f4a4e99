"""Preferences: everybody may say no."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import livecounters as live
from livecounters.preferences import (
    FEED,
    LEADERBOARD,
    REPORT,
    choices,
    is_muted,
    opted_out,
    preferences,
    set_preference,
    unwanted,
)
from livecounters.registry import registry
from livecounters.rules import Rule
from tests.host.models import Attempt

pytestmark = pytest.mark.django_db


def test_everybody_wants_everything_until_they_say_no() -> None:
    assert preferences("1") == {"leaderboard": True, "reminders": True, "report": True}

    for _ in range(2):
        set_preference("1", LEADERBOARD, False)
    assert preferences("1")["leaderboard"] is False
    assert unwanted("1") == {LEADERBOARD}
    assert opted_out(LEADERBOARD) == {"1"}
    assert opted_out(LEADERBOARD, ["2"]) == set()
    assert opted_out(REPORT) == set()

    set_preference("1", LEADERBOARD, True)
    assert opted_out(LEADERBOARD) == set()


def test_what_there_is_not() -> None:
    with pytest.raises(ValueError, match="choose one of"):
        set_preference("1", "spam", False)


class Learning(live.LiveModel):
    sessions = live.Count(per="user", goals={"day": 3, "week": 15})


class Points(live.LiveModel):
    points = live.Sum("score", per="user", streaks=[7])


class Told(live.LiveSite):
    reached = live.Activity("{actor} reached {achievement}", achievements=True)


@pytest.fixture
def ruled() -> Iterator[None]:
    registry.add(Attempt, Learning)
    yield
    registry.remove(Learning)


@pytest.mark.usefixtures("ruled")
def test_what_a_site_has_to_show_and_to_tell() -> None:
    assert choices()[3:] == ["notices:first", "notices:busy", "notices:goal"]

    registry.add(Attempt, Points)
    registry.add_site(Told)
    try:
        assert choices()[3:] == [
            FEED,
            *(f"notices:{kind}" for kind in ("first", "busy", "goal", "streak")),
            "notices:host.sessions",
            "notices:host.points",
        ]
        set_preference("1", "notices:host.points", False)
    finally:
        registry.remove(Points)
        registry.remove(Told)
    no = unwanted("1")
    assert is_muted(Rule("host.points", "goal:day"), no)
    assert not is_muted(Rule("host.sessions", "goal:day"), no)
