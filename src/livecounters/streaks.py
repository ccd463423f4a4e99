"""Days, weeks and streaks of a person: arithmetic on calendar days only.

A streak is a run of consecutive days on which something was done. It is alive until a day has
passed without: today not yet done does not end it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Streak", "month_of", "streak_of", "sum_of", "week_of"]

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Streak:
    """How many days in a row: the run that is alive, and the longest there ever was."""

    current: int = 0
    longest: int = 0


def streak_of(days: Iterable[dt.date], today: dt.date) -> Streak:
    """The streak of somebody who did something on these days, as it stands on ``today``; later
    days are left out."""
    done = sorted({day for day in days if day <= today})
    longest = run = 0
    last: dt.date | None = None
    for day in done:
        run = run + 1 if last is not None and day - last == DAY else 1
        longest, last = max(longest, run), day
    alive = last is not None and today - last <= DAY
    return Streak(run if alive else 0, longest)


def week_of(day: dt.date, week_start: int) -> dt.date:
    """The first day of the week of a day; ``week_start`` 0 is Monday."""
    return day - dt.timedelta(days=(day.weekday() - week_start) % 7)


def month_of(day: dt.date) -> dt.date:
    """The first day of the month of a day."""
    return day.replace(day=1)


def sum_of(days: Mapping[dt.date, int], first: dt.date, last: dt.date) -> int:
    """What was done from one day to another, both included."""
    return sum(number for day, number in days.items() if first <= day <= last)
