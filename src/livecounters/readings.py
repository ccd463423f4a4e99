"""Readings: topics whose value is a whole picture, a chart or some lines, not one number.

    series:<window>:<step>:<name>[:<key>]
    breakdown:<language>:<window>:<limit>:<name>[:<keys>]
    top:<language>:<window>:<limit>:<name>[:<keys>]

A value says all there is to show, so that no frame is missed by who has the next one. Each is read
once a process and sent once to all its viewers, the longer the more seldom: a second goes by for
every hundred points. ``keys`` are the first ones of a counter of several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from livecounters.charts import Chart
from livecounters.keys import join, split
from livecounters.meters import Meter
from livecounters.numbers import Reader, reader_of
from livecounters.readers import Counter, aware
from livecounters.registry import registry
from livecounters.windows import Rolling, Window, named, written

__all__ = [
    "BREAKDOWN",
    "FAMILIES",
    "SERIES",
    "TOP",
    "LinesTopic",
    "Reading",
    "SeriesTopic",
    "parse",
]

SERIES, BREAKDOWN, TOP = "series", "breakdown", "top"
FAMILIES = (SERIES, BREAKDOWN, TOP)

POINTS_PER_SECOND = 100
"""So many points of a chart are sent in a second, on the average."""

SLOWEST = 60.0
"""Seconds after which is read again what has not changed by a write; its window may have moved."""
MOVING = 10.0
"""The same where the steps are short, or nobody says what has changed: samples."""


@dataclass(frozen=True)
class SeriesTopic:
    """A chart."""

    chart: Chart
    asked: str = ""

    def __str__(self) -> str:
        if self.asked:
            return self.asked
        chart = self.chart
        text = f"{SERIES}:{written(chart.window)}:{chart.step}:{_name(self.counter)}"
        return f"{text}:{chart.scope}" if self.counter.per else text

    @property
    def counter(self) -> Reader:
        return self.chart.reader

    @property
    def scope(self) -> str:
        return self.chart.scope

    @property
    def origin(self) -> tuple[str, str | None]:
        """What its changes are announced under, and of that which one."""
        return self.counter.origin(self.scope)

    @property
    def interval(self) -> float:
        """The least seconds between two frames."""
        return max(MOVING if self._dear else 1.0, self.chart.size / POINTS_PER_SECOND)

    @property
    def steady(self) -> float:
        """Seconds after which it is read to be sure."""
        short = isinstance(self.counter, Meter) or self.chart.step == "minute"
        return max(self.interval, MOVING if short else SLOWEST)

    @property
    def _dear(self) -> bool:
        """Whether there is more to read than a bucket for each step: samples, or each member."""
        return isinstance(self.counter, Meter) or self.counter.measure.member is not None


@dataclass(frozen=True)
class LinesTopic:
    """A breakdown or the top of a counter per object: lines with names, in a language."""

    family: str
    counter: Counter
    language: str
    window: Window
    limit: int
    within: tuple[str, ...] = ()
    asked: str = ""
    scope = ""
    interval = 1.0
    steady = SLOWEST

    def __str__(self) -> str:
        if self.asked:
            return self.asked
        parts = (self.family, self.language, written(self.window), str(self.limit))
        text = ":".join((*parts, _name(self.counter)))
        return f"{text}:{join(self.within)}" if self.within else text

    @property
    def origin(self) -> tuple[str, str | None]:
        """What its changes are announced under: those of any scope."""
        return self.counter.measure.key, None


Reading = SeriesTopic | LinesTopic


def _name(counter: Reader) -> str:
    return registry.numbers.shortest(counter.entry)


def parse(name: str) -> Reading:
    """The topic of a plain name. Raises ``LookupError``, ``ValueError`` or ``TypeError``, or
    whatever a field raises for a key that is none."""
    family, _, rest = name.partition(":")
    return _series(rest, name) if family == SERIES else _lines(family, rest, name)


def _series(rest: str, asked: str) -> SeriesTopic:
    window, step, name, *key = rest.split(":", 3)
    rolling = named(window)
    if not isinstance(rolling, Rolling):
        raise ValueError(f"{window!r} is no rolling window.")
    reader = reader_of(registry.numbers.get(name))
    chart = Chart(reader, reader.scope(key[0] if key else None), rolling, step)
    chart.check(aware())
    return SeriesTopic(chart, asked)


def _lines(family: str, rest: str, asked: str) -> LinesTopic:
    language, window, limit, name, *keys = rest.split(":", 4)
    within = tuple(split(keys[0])) if keys else ()
    topic = lines(family, _counter(name), language, named(window), int(limit), within)
    return LinesTopic(**(vars(topic) | {"asked": asked}))


def _counter(name: str) -> Counter:
    reader = reader_of(registry.numbers.get(name))
    if not isinstance(reader, Counter):
        raise TypeError(f"{reader.name} is a gauge: it is not per anything.")
    return reader


def lines(
    family: str, counter: Counter, language: str, window: Window, limit: int, within: Any = ()
) -> LinesTopic:
    """The topic of some lines. Raises ``TypeError`` or ``ValueError`` where they cannot be read."""
    keys = within if isinstance(within, (list, tuple)) else (within,)
    first = counter.first_keys(keys)
    # Whatever cannot be read is refused now, not again and again.
    counter.ask(None, window, aware())
    return LinesTopic(family, counter, language, window, limit, first)
