"""What a host declares to be looked at now and then: who is here, and how things stand.

A counter adds up what happened; a gauge says how much there is at a moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from livecounters.declarations import Shown
from livecounters.windows import MINUTE, Rolling, last

__all__ = ["SITE", "Active", "Fed", "Gauge", "Gauged", "Online"]

SITE = "site"
"""The room that everybody is in who is anywhere."""

ROOM = re.compile(r"[\w-]{1,50}", re.ASCII)

# Sightings are written once a minute: what is shorter would miss some.
SHORTEST = 2 * MINUTE
QUARTER_HOUR = last(minutes=15)


@dataclass(frozen=True, eq=False, kw_only=True)
class Gauged(Shown):
    """The base of what is there at a moment."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Online(Gauged):
    """Who is here now: people (signed-in users), guests (visitors with our cookie) and
    connections (open pages). Its value is people and guests together.

    ``room``
        Who is in a room of that name; without one, who is anywhere on the site. Declared beside
        a model (``@live.register(Quiz)``) it has a room for each object.
    ``roster``
        Whether it may be asked who it is, and not only how many.
    """

    room: str = ""
    roster: bool = False

    def __post_init__(self) -> None:
        if self.room and not ROOM.fullmatch(self.room):
            raise ValueError(
                f"live.Online(room={self.room!r}): a room has up to 50 letters, digits, _ and -."
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class Active(Gauged):
    """How many different people and guests were here within a rolling window (default: the last
    15 minutes), those who are here now included."""

    window: Rolling = QUARTER_HOUR

    def __post_init__(self) -> None:
        if not isinstance(self.window, Rolling) or self.window.seconds < SHORTEST:
            raise ValueError(
                f"live.Active(window={self.window!r}): give live.last(minutes=2) or longer."
            )


class Fed:
    """The base of a source that nobody asks: it hands its values in as they come, many a minute.
    The value of its gauge is their mean in the last minute."""

    def __call__(self) -> None:
        """Not known to whoever asks all the same."""


@dataclass(frozen=True, eq=False)
class Gauge(Gauged):
    """A number that the host measures: a function without arguments, asked every so many seconds
    by one process of all, and kept as history. ``None`` says that it is not known now. ``unit``
    and ``decimals`` say how it is shown."""

    source: Callable[[], float | int | None]
    _: KW_ONLY
    every: int = 10
    unit: str = ""
    decimals: int = 0

    fastest: ClassVar[int] = 1

    def __post_init__(self) -> None:
        given: Any = self.every
        if not callable(self.source):
            raise TypeError(f"live.Gauge({self.source!r}): give a function without arguments.")
        if isinstance(given, bool) or not isinstance(given, int) or given < self.fastest:
            raise ValueError(
                f"live.Gauge(every={given!r}): give whole seconds, {self.fastest} or more."
            )

    @property
    def fed(self) -> bool:
        """Whether its values come by themselves."""
        return isinstance(self.source, Fed)
