"""Preferences: everybody may say no."""

from __future__ import annotations

import pytest

from livecounters.preferences import LEADERBOARD, REPORT, opted_out, preferences, set_preference

pytestmark = pytest.mark.django_db


def test_everybody_wants_everything_until_they_say_no() -> None:
    assert preferences("1") == {"leaderboard": True, "reminders": True, "report": True}

    for _ in range(2):
        set_preference("1", LEADERBOARD, False)
    assert preferences("1")["leaderboard"] is False
    assert opted_out(LEADERBOARD) == {"1"}
    assert opted_out(LEADERBOARD, ["2"]) == set()
    assert opted_out(REPORT) == set()

    set_preference("1", LEADERBOARD, True)
    assert opted_out(LEADERBOARD) == set()


def test_what_there_is_not() -> None:
    with pytest.raises(ValueError, match="choose one of"):
        set_preference("1", "spam", False)
