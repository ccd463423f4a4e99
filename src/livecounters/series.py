"""Series: a number step by step."""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from livecounters import ledger
from livecounters.conf import options
from livecounters.ledger import Tally
from livecounters.retention import kept_since
from livecounters.sheets import csv_of
from livecounters.summands import Ask
from livecounters.windows import DAY, HOUR, MINUTE, QUARTER, Clock, Grain, Interval, Rolling, Window
from livecounters.worth import Number, Worth

__all__ = ["STEPS", "Point", "Series", "Steps", "Stretch", "cut", "read_series"]

T = TypeVar("T")

STEPS = {"minute": MINUTE, "quarter": QUARTER, "hour": HOUR, "day": DAY}
"""The seconds of each step."""

# The buckets that the steps of a series are made of.
GRAINS = {"minute": Grain.MINUTE, "day": Grain.DAY}


class Point(tuple[dt.datetime, Number]):
    """``(start, value)`` of one step of a series; ``running`` if the step is not over yet."""

    running: bool

    def __new__(cls, start: dt.datetime, value: Number, running: bool) -> Point:
        point = super().__new__(cls, (start, value))
        point.running = running
        return point

    @property
    def start(self) -> dt.datetime:
        return self[0]

    @property
    def value(self) -> Number:
        return self[1]


class Series(list[Point]):
    """The points of a series, oldest first."""

    def csv(self) -> str:
        """The points as CSV (RFC 4180): a line ``start,value`` for each below one with these
        words; moments in ISO 8601, an unknown value is empty."""
        return csv_of(("start", "value"), ((start.isoformat(), value) for start, value in self))

    @property
    def trend(self) -> float | None:
        """By how much the value grows from step to step: the slope of the straight line that
        fits the known points best (least squares). The running step is left out, whose number
        is not whole yet; ``None`` with less than two points."""
        known = [
            (n, float(point.value))
            for n, point in enumerate(self)
            if point.value is not None and not point.running
        ]
        if len(known) < 2:
            return None
        return statistics.linear_regression(*zip(*known, strict=True)).slope


@dataclass(frozen=True)
class Steps:
    """A window as seen at a moment, cut into steps: where each begins, and the end of the last.
    What happened in each is put there by its stamp."""

    clock: Clock
    moment: dt.datetime
    starts: list[int]

    @property
    def interval(self) -> Interval:
        return Interval(self.starts[0], self.starts[-1])

    def within(self, found: Iterable[tuple[int, T]]) -> Iterator[tuple[int, T]]:
        """Of what was found, what is in any step."""
        return (one for one in found if self.starts[0] <= one[0] < self.starts[-1])

    def series(self, found: Iterable[tuple[int, T]], worth: Callable[[list[T]], Number]) -> Series:
        """What was found in each step, by its stamp, and what that is worth."""
        steps: list[list[T]] = [[] for _ in self.starts]
        for stamp, one in found:
            steps[bisect_right(self.starts, stamp) - 1].append(one)
        now = self.clock.stamp(self.moment)
        return Series(
            Point(self.clock.moment(start), worth(some), start <= now < end)
            for (start, end), some in zip(itertools.pairwise(self.starts), steps, strict=False)
        )


def cut(clock: Clock, window: Window, step: str, moment: dt.datetime) -> Steps:
    """The steps of a window as seen at a moment."""
    if step not in STEPS:
        raise ValueError(f"step={step!r}: choose one of {', '.join(map(repr, STEPS))}.")
    if not window.timed:
        raise ValueError("series() needs a window with a beginning, such as live.last(hours=12).")
    return Steps(clock, moment, _starts(clock, window, step, moment))


@dataclass(frozen=True)
class Stretch:
    """A window of a number, to be cut into steps."""

    worth: Worth
    scope: str
    window: Window
    step: str

    def ask(self, moment: dt.datetime, now: dt.datetime) -> tuple[Steps, Ask]:
        """The steps as seen at a moment, and what the ledger is asked for. Raises ``ValueError``
        where they are not kept any more."""
        measure = self.worth.measure
        steps = cut(measure.clock, self.window, self.step, moment)
        coarsest = GRAINS.get(self.step, Grain.QUARTER)
        since = kept_since(measure, coarsest, now)
        if steps.starts[0] < since:
            raise ValueError(
                f"step={self.step!r}: such steps are kept since {measure.clock.moment(since)}, and "
                "this window begins earlier; ask for larger steps, or see the setting RETENTION."
            )
        return steps, Ask(measure, (self.scope,), steps.interval, coarsest)


def read_series(
    stretches: Sequence[Stretch], moment: dt.datetime, now: dt.datetime
) -> list[Series]:
    """Windows as seen at a moment, each cut into steps, in one statement."""
    asked = [stretch.ask(moment, now) for stretch in stretches]
    found = ledger.read_series([ask for _, ask in asked])
    return [
        _series(stretch.worth, steps, moments)
        for stretch, (steps, _), moments in zip(stretches, asked, found, strict=True)
    ]


def _series(worth: Worth, steps: Steps, found: Iterable[ledger.Moment]) -> Series:
    return steps.series(((one.stamp, one) for one in found), lambda some: worth.of(_tally(some)))


def _starts(clock: Clock, window: Window, step: str, moment: dt.datetime) -> list[int]:
    now, width = clock.stamp(moment), STEPS[step]
    interval = window.interval(now, clock, options().WEEK_START)
    if interval.start is None or interval.end is None:
        raise ValueError("series() needs a window with a beginning.")
    if isinstance(window, Rolling):
        # As many steps as it is long, the running one included.
        number = -(-window.seconds // width)
        if step != "day":
            end = now // width * width + width
            return list(range(end - number * width, end + 1, width))
        days = range(1 - number, 2)
        return [clock.midnight(clock.day(now) + dt.timedelta(days=day)) for day in days]
    if step == "day":
        starts = [clock.day_start(interval.start)]
        while starts[-1] < interval.end:
            starts.append(clock.day_start(starts[-1] + DAY + DAY // 2))
        return starts
    first = interval.start // width * width
    last = -(-interval.end // width) * width
    return list(range(first, last + 1, width))


def _tally(moments: Iterable[ledger.Moment]) -> Tally:
    members: dict[Any, int] = defaultdict(int)
    count = total = 0
    for moment in moments:
        members[moment.member] += moment.count
        count += moment.count
        total += moment.total
    there = [member for member, number in members.items() if number > 0]
    numbers = [member for member in there if isinstance(member, int)]
    low, high = (min(numbers), max(numbers)) if numbers else (None, None)
    return Tally(count, total, len(there), low, high)
