"""What a learner does beside the rows: declared for the tests of recording, by whoever wants it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models
from django.db.models import Q

import livecounters as live
from livecounters import installation
from livecounters.registry import registry

from .models import Quiz


def minutes(value: Any) -> int:
    """At most a day."""
    if not 0 < value <= 1440:
        raise ValueError("give minutes of one day")
    return round(value)


def may_rate(user: Any, quiz: Any) -> bool:
    return quiz is not None and quiz.published


class PracticeLive(live.LiveSite):
    session_completed = live.Activity(
        "{actor} finished a session with {score} points",
        data={"score": int, "minutes": minutes, "mode": str, "speed": float, "alone": bool},
        client=True,
        public=True,
    )
    quiz_rated = live.Activity(
        "{actor} rated {target}",
        target=Quiz,
        target_label="title",
        data={"worth": models.DecimalField(max_digits=6, decimal_places=2)},
        client=may_rate,
    )
    imported = live.Activity("An import is done", target="host.Quiz", data={"any": lambda one: one})
    arrived = live.Activity("{actor} arrived", anonymous="skip")

    sessions = live.Count(
        events=session_completed,
        per="actor",
        goals={"day": 3, "week": live.Goal(15, 5, 50)},
        milestones=[10, 25],
        streaks=[7],
    )
    session_score = live.Avg("data__score", events=session_completed, per="actor")
    points = live.Sum("data__score", events=session_completed, per="actor")
    good_sessions = live.Count(events=session_completed, per="actor", filter=Q(data__score__gte=50))
    sessions_today = live.Count(events=session_completed, window=live.today, public=True)
    practised = live.Sum("data__minutes", events=session_completed)
    fastest = live.Max("data__speed", events=session_completed)
    ratings = live.Count(events=quiz_rated, per="target")
    worth = live.Sum("data__worth", events=quiz_rated, per="target")


@contextmanager
def declared() -> Iterator[None]:
    """Declared, and counted, inside of the block."""
    registry.add_site(PracticeLive)
    try:
        installation.sync("default")
        yield
    finally:
        registry.remove(PracticeLive)
