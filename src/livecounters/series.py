"""Series: a number step by step."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from livecounters import ledger
from livecounters.conf import options
from livecounters.ledger import Tally
from livecounters.retention import kept_since
from livecounters.summands import Ask
from livecounters.windows import DAY, HOUR, MINUTE, QUARTER, Clock, Grain, Interval, Window
from livecounters.worth import Number, Worth

__all__ = ["Point", "Series", "read_series"]

STEPS = {"minute": MINUTE, "quarter": QUARTER, "hour": HOUR, "day": DAY}

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
        out = io.StringIO(newline="")
        lines = csv.writer(out)
        lines.writerow(["start", "value"])
        lines.writerows(
            [start.isoformat(), "" if value is None else value] for start, value in self
        )
        return out.getvalue()

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


def read_series(
    worth: Worth, scope: str, window: Window, step: str, moment: dt.datetime, now: dt.datetime
) -> Series:
    """A window as seen at a moment, cut into steps."""
    if step not in STEPS:
        raise ValueError(f"step={step!r}: choose one of {', '.join(map(repr, STEPS))}.")
    if not window.timed:
        raise ValueError("series() needs a window with a beginning, such as live.last(hours=12).")
    measure = worth.measure
    clock = measure.clock
    starts = _starts(clock, window, step, moment)
    coarsest = GRAINS.get(step, Grain.QUARTER)
    since = kept_since(measure, coarsest, now)
    if starts[0] < since:
        raise ValueError(
            f"step={step!r}: such steps are kept since {clock.moment(since)}, and this window "
            "begins earlier; ask for larger steps, or see the setting RETENTION."
        )
    found = ledger.read_series(Ask(measure, (scope,), Interval(starts[0], starts[-1]), coarsest))
    return Series(
        Point(
            clock.moment(start),
            worth.of(_tally(m for m in found if start <= m.stamp < end)),
            start <= clock.stamp(moment) < end,
        )
        for start, end in itertools.pairwise(starts)
    )


def _starts(clock: Clock, window: Window, step: str, moment: dt.datetime) -> list[int]:
    interval = window.interval(clock.stamp(moment), clock, options().WEEK_START)
    if interval.start is None or interval.end is None:
        raise ValueError("series() needs a window with a beginning.")
    if step == "day":
        starts = [clock.day_start(interval.start)]
        while starts[-1] < interval.end:
            starts.append(clock.day_start(starts[-1] + DAY + DAY // 2))
        return starts
    width = STEPS[step]
    # A rolling window of whole steps shows that many, the running one included.
    first = interval.start // width * width
    last = -(-interval.end // width) * width
    span = getattr(window, "seconds", last - first)
    first = max(first, last - -(-span // width) * width)
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
