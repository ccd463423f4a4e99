"""Windows of time and the grains they are read from: arithmetic only.

An instant is kept as a *stamp*: whole seconds since 1970-01-01 00:00 UTC. A column without a
zone (a ``DateField``, or any column of a site with ``USE_TZ = False``) is read as if its wall
clock were UTC; its windows are then reckoned on the same wall clock (``Clock(wall=True)``), so
"today" means the calendar day either way.

Sources of the rules: calendar days follow the IANA zone (a day may have 23 or 25 hours);
rolling windows move in steps of a quarter hour, those under two hours in steps of a minute.
Every zone in use today is a multiple of 15 minutes from UTC, so a quarter hour never straddles
a day boundary.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, NamedTuple

__all__ = [
    "Calendar",
    "Clock",
    "Ever",
    "Grain",
    "Interval",
    "Rolling",
    "Span",
    "Window",
    "beyond",
    "cover",
    "ever",
    "last",
    "named",
    "this_month",
    "this_week",
    "today",
    "written",
]

MINUTE = 60
QUARTER = 15 * MINUTE
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# The stamps between which every zone has a calendar day (years 1 to 9999).
EARLIEST = -62135510400
LATEST = 253402128000

# Rolling windows shorter than this move by the minute.
FINE = 2 * HOUR


class Grain(IntEnum):
    """The sizes of bucket; the number is what the table stores."""

    EVER = 0
    MINUTE = 1
    QUARTER = 2
    DAY = 3


class Interval(NamedTuple):
    """Stamps from ``start`` up to, not including, ``end``; ``None`` is without bound."""

    start: int | None
    end: int | None


class Span(NamedTuple):
    """Buckets of one grain whose start lies in ``[start, end)``; EVER has no bounds."""

    grain: Grain
    start: int
    end: int


@dataclass(frozen=True)
class Clock:
    """How a measure's stamps relate to instants: its zone, whether it has wall clock only, and
    whether it has days only."""

    zone: dt.tzinfo
    wall: bool = False
    dates: bool = False

    def stamp(self, moment: dt.datetime) -> int:
        """The stamp of an aware moment, floored to the second."""
        if moment.tzinfo is None:
            raise ValueError(f"at={moment!r} has no time zone; give an aware datetime.")
        if self.wall:
            moment = moment.astimezone(self.zone).replace(tzinfo=dt.UTC)
        return int(moment.timestamp() // 1)

    def moment(self, stamp: int) -> dt.datetime:
        """The aware moment of a stamp, in this clock's zone."""
        utc = dt.datetime.fromtimestamp(stamp, dt.UTC)
        return utc.replace(tzinfo=self.zone) if self.wall else utc.astimezone(self.zone)

    @property
    def days(self) -> dt.tzinfo:
        """The zone in which stamps fall into days."""
        return dt.UTC if self.wall else self.zone

    def day(self, stamp: int) -> dt.date:
        """The calendar day of a stamp: days are from midnight to midnight."""
        day = dt.datetime.fromtimestamp(stamp, self.days).date()
        # Where clocks went back past midnight (St. John's until 2011), the last hour of
        # a day came again when the next had begun.
        after = day + dt.timedelta(days=1)
        return after if self.midnight(after) <= stamp else day

    def midnight(self, day: dt.date) -> int:
        """The stamp at which a calendar day begins."""
        return int(dt.datetime.combine(day, dt.time(), self.days).timestamp())

    def day_start(self, stamp: int) -> int:
        """The stamp at which the day of ``stamp`` began."""
        return self.midnight(self.day(stamp))

    def runs(self, start: int, end: int) -> list[tuple[int, int]]:
        """The days between two stamps as runs of days that begin 24 hours apart: (the first
        midnight, the last)."""
        day = self.day(start)
        first = last = self.midnight(day)
        found = []
        while last < end:
            day += dt.timedelta(days=1)
            midnight = self.midnight(day)
            if midnight - last != DAY:
                found.append((first, last))
                first = midnight
            last = midnight
        return [*found, (first, last)]


@dataclass(frozen=True)
class Window:
    """What part of time a counter looks at."""

    # Whether rows need a time to be counted in it.
    timed: ClassVar[bool] = True

    def interval(self, now: int, clock: Clock, week_start: int = 0) -> Interval:
        """The window's stamps as seen at the stamp ``now``."""
        raise TypeError(f"{type(self).__name__} is not a window of its own.")

    def previous(self, now: int, clock: Clock, week_start: int = 0) -> Interval:
        """The window just before the one seen at ``now``, and no more of it than has passed of
        this one: today until noon is compared with yesterday until noon."""
        running = self.interval(now, clock, week_start)
        if running.start is None or running.end is None:
            raise ValueError("live.ever has no window before it.")
        whole = self.interval(running.start - 1, clock, week_start)
        assert whole.start is not None
        step = DAY if clock.dates else QUARTER
        passed = min(running.end, now // step * step + step) - running.start
        return Interval(whole.start, min(running.start, whole.start + passed))


@dataclass(frozen=True)
class Ever(Window):
    """All rows, with or without a time."""

    timed: ClassVar[bool] = False

    def interval(self, now: int, clock: Clock, week_start: int = 0) -> Interval:
        return Interval(None, None)


@dataclass(frozen=True)
class Calendar(Window):
    """The whole calendar day, week or month that contains the moment asked about."""

    unit: str

    def interval(self, now: int, clock: Clock, week_start: int = 0) -> Interval:
        first = clock.day(now)
        if self.unit == "week":
            first -= dt.timedelta(days=(first.weekday() - week_start) % 7)
            after = first + dt.timedelta(days=7)
        elif self.unit == "month":
            first = first.replace(day=1)
            after = (first + dt.timedelta(days=31)).replace(day=1)
        else:
            after = first + dt.timedelta(days=1)
        return Interval(clock.midnight(first), clock.midnight(after))


@dataclass(frozen=True)
class Rolling(Window):
    """The last ``seconds``, the running step included.

    Nothing younger than ``seconds`` is ever missing; what is up to one step older may still be in.
    """

    seconds: int

    def step(self, clock: Clock) -> int:
        """How far the window's edge moves at a time, in seconds."""
        if clock.dates:
            return DAY
        return MINUTE if self.seconds < FINE else QUARTER

    def interval(self, now: int, clock: Clock, week_start: int = 0) -> Interval:
        step = self.step(clock)
        start = (now - self.seconds) // step * step
        return Interval(start, now // step * step + step)


ever = Ever()
today = Calendar("day")
this_week = Calendar("week")
this_month = Calendar("month")


NAMED = {"ever": ever, "today": today, "this_week": this_week, "this_month": this_month}
SHORT = {"day": today, "week": this_week, "month": this_month}
UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
SOME = re.compile(r"[0-9]{1,5}")


def named(text: str) -> Window:
    """The window of a text: ``ever``, ``today`` (or ``day``), ``this_week`` (``week``), ``this_month``
    (``month``), or a rolling one as a number with m, h or d, such as ``30d``."""
    if text in NAMED or text in SHORT:
        return NAMED.get(text) or SHORT[text]
    number, unit = text[:-1], text[-1:]
    if unit in UNITS and SOME.fullmatch(number) and int(number):
        return Rolling(int(number) * UNITS[unit])
    known = ", ".join(NAMED)
    raise ValueError(f"Give one of {known}, or a number with m, h or d such as 30d.")


def written(window: Window) -> str:
    """The text of a window, which :func:`named` reads."""
    for name, known in NAMED.items():
        if window == known:
            return name
    assert isinstance(window, Rolling)
    unit = max((u for u in UNITS if window.seconds % UNITS[u] == 0), key=UNITS.__getitem__)
    return f"{window.seconds // UNITS[unit]}{unit}"


def last(*, minutes: int = 0, hours: int = 0, days: int = 0) -> Rolling:
    """A rolling window; whole numbers, at least a minute in all."""
    for unit, number in (("minutes", minutes), ("hours", hours), ("days", days)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise ValueError(f"last({unit}={number!r}): give a whole number that is not negative.")
    seconds = minutes * MINUTE + hours * HOUR + days * DAY
    if seconds < MINUTE:
        raise ValueError("last() needs minutes=, hours= or days=, one minute at the least.")
    return Rolling(seconds)


def cover(interval: Interval, clock: Clock, coarsest: Grain = Grain.DAY) -> list[Span]:
    """The fewest runs of buckets that make up ``interval`` exactly.

    Whole days are read as days, what sticks out at the edges by quarter hour, and an edge that
    is not on a quarter hour by minute; nothing in buckets larger than ``coarsest``.
    """
    start, end = interval
    if start is None or end is None:
        return [Span(Grain.EVER, 0, 1)]
    if coarsest is Grain.MINUTE:
        return [Span(Grain.MINUTE, start, end)]
    if coarsest is Grain.QUARTER:
        return _fine(start, end)
    first_day = clock.day_start(start)
    if first_day < start:
        first_day = clock.midnight(clock.day(start) + dt.timedelta(days=1))
    last_day = clock.day_start(end)
    if first_day >= last_day:
        return _fine(start, end)
    return [
        *_fine(start, first_day),
        Span(Grain.DAY, first_day, last_day),
        *_fine(last_day, end),
    ]


def beyond(interval: Interval, clock: Clock, coarsest: Grain = Grain.DAY) -> Span | None:
    """The buckets after ``interval``, of the grain that it ends with; ``None`` if it has no end."""
    end = interval.end
    if end is None:
        return None
    grain = Grain.QUARTER if end % QUARTER == 0 else Grain.MINUTE
    if coarsest is Grain.DAY and clock.day_start(end) == end:
        grain = Grain.DAY
    return Span(grain, end, LATEST)


def _fine(start: int, end: int) -> list[Span]:
    if start >= end:
        return []
    grain = Grain.MINUTE if start % QUARTER or end % QUARTER else Grain.QUARTER
    return [Span(grain, start, end)]
