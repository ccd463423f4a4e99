"""Charts: a number step by step over a rolling window, and how it compares with the one before."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from livecounters import readers, samples
from livecounters.feed import iso
from livecounters.frames import plain
from livecounters.gauges import Active
from livecounters.meters import Meter
from livecounters.numbers import Reader
from livecounters.readers import Change, Counter, aware
from livecounters.series import STEPS, Point, Series, read_series
from livecounters.windows import DAY, FINE, HOUR, Rolling
from livecounters.worth import Number

__all__ = ["MOST", "Chart", "Drawn", "has_history", "read", "step_of"]

MOST = 2_000
"""So many steps at the most."""

# From how many seconds on a window is cut into which steps.
COARSER = (("day", 4 * DAY), ("hour", 6 * HOUR), ("quarter", FINE + 1))


def step_of(window: Rolling) -> str:
    """The step in which a window is easily read: some ten to a hundred of them."""
    return next((step for step, least in COARSER if window.seconds >= least), "minute")


def has_history(reader: Reader) -> bool:
    """Whether it is known when each part of a number came."""
    if isinstance(reader, Meter):
        return not isinstance(reader.entry.declared, Active) and reader.per is None
    return reader.measure.at is not None


@dataclass(frozen=True)
class Chart:
    """What is to be drawn: a window of one number, cut into steps. Raises ``TypeError`` for a
    number without history, ``ValueError`` for a step that there is not, or too many of them."""

    reader: Reader
    scope: str
    window: Rolling
    step: str

    def __post_init__(self) -> None:
        if not has_history(self.reader):
            raise TypeError(
                f"{self.reader.name} has no history to draw: give a counter whose class has an "
                "at=, a live.Gauge, or a live.Online of the site or a room."
            )
        if self.step not in STEPS:
            raise ValueError(f"step={self.step!r}: choose one of {', '.join(map(repr, STEPS))}.")
        if self.size > MOST:
            raise ValueError(
                f"A chart of {self.size} steps: {MOST} are the most; give larger ones, such as "
                'step="day".'
            )

    @property
    def size(self) -> int:
        """How many steps there are, the running one included."""
        return -(-self.window.seconds // STEPS[self.step])

    def check(self, now: dt.datetime) -> None:
        """Raises ``ValueError`` where so much is not kept any more."""
        if isinstance(self.reader, Counter):
            self.reader.stretch(self.scope, self.window, self.step).ask(now, now)


@dataclass(frozen=True)
class Drawn:
    """A chart as it stands: its points, and the number now and one window before."""

    chart: Chart
    series: Series
    change: Change

    def as_json(self) -> dict[str, Any]:
        """The whole of it, as it travels: the start of the first step, the seconds of each, the
        values, oldest first (the last one's step is running), the greatest of them, and the
        change in percent (``None``: nothing to compare with)."""
        return {
            "start": iso(self.series[0].start),
            "step": STEPS[self.chart.step],
            "values": [_short(point.value) for point in self.series],
            "highest": _short(self.highest),
            "change": self.percent,
        }

    @property
    def percent(self) -> float | None:
        """The change in percent, to a tenth; None if nothing is known of the window before, or it
        had so little (less than a tenth of what is now) that this says nothing."""
        now, before = self.change
        percent = self.change.percent
        if percent is None or abs(float(now or 0)) > 10 * abs(float(before or 0)):
            return None
        return round(percent, 1)

    @property
    def highest(self) -> Number:
        """The greatest value; None if none is known."""
        return max((value for _, value in self.series if value is not None), default=None)


def _short(value: Number) -> Any:
    """Of means a few digits will do: there may be thousands of them."""
    return plain(round(value, 4) if isinstance(value, float) else value)


def read(charts: Sequence[Chart], at: dt.datetime | None = None) -> list[Drawn]:
    """Charts as they stand, however many: of counters in two statements, of gauges in one."""
    moment = aware(at)
    counted = [chart for chart in charts if isinstance(chart.reader, Counter)]
    looked = [chart for chart in charts if not isinstance(chart.reader, Counter)]
    found = dict(zip(counted, _counted(counted, moment), strict=True)) if counted else {}
    if looked:
        found |= dict(zip(looked, _looked(looked, moment), strict=True))
    return [found[chart] for chart in charts]


def _counted(charts: list[Chart], moment: dt.datetime) -> list[Drawn]:
    # mypy does not see that these are of counters only.
    asked: list[tuple[Any, Chart]] = [(chart.reader, chart) for chart in charts]
    series = read_series(
        [reader.stretch(chart.scope, chart.window, chart.step) for reader, chart in asked],
        moment,
        aware(),
    )
    changes = readers.changes(
        [readers.Question(reader, chart.scope, chart.window) for reader, chart in asked], moment
    )
    return [Drawn(*one) for one in zip(charts, series, changes, strict=True)]


def _looked(charts: list[Chart], moment: dt.datetime) -> list[Drawn]:
    """Twice the window is read: its mean is compared with the mean of the window before, if at
    least half of that is known."""
    series = samples.many(
        [
            (chart.reader.entry.full_name, Rolling(2 * chart.size * STEPS[chart.step]), chart.step)
            for chart in charts
        ],
        moment,
    )
    return [
        Drawn(
            chart,
            Series(points[-chart.size :]),
            Change(_mean(points[-chart.size :], 1), _mean(points[: -chart.size], chart.size / 2)),
        )
        for chart, points in zip(charts, series, strict=True)
    ]


def _mean(points: list[Point], least: float) -> float | None:
    """Of the points that are known, if so many are."""
    known = [float(point.value) for point in points if point.value is not None]
    return statistics.fmean(known) if known and len(known) >= least else None
