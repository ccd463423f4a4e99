"""What learners reach: declared for the tests of progress, by whoever wants it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import Q

import livecounters as live
from livecounters import awards, installation
from livecounters.registry import registry

from .models import Attempt

BEGUN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""Since when their rules are known."""


class Learning(live.LiveModel):
    filter = Q(completed=True)
    at = "completed_at"

    sessions = live.Count(
        per="user",
        goals={"day": 3, "week": live.Goal(15, 5, 50)},
        milestones=[10, 25, 50],
        streaks=[7, 14, 30],
    )
    session_score = live.Avg("score", per="user")


@contextmanager
def declared() -> Iterator[None]:
    """Declared, counted, and judged by, inside of the block."""
    registry.add(Attempt, Learning)
    try:
        installation.sync("default")
        awards.begin(BEGUN)
        yield
    finally:
        registry.remove(Learning)
