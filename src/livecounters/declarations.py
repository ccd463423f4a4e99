"""What a host declares to be counted: frozen values that know nothing of the database."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from django.db.models import Q
from django.db.models.expressions import Combinable
from django.utils.functional import Promise

from livecounters.activities import Activity
from livecounters.windows import Ever, Window, ever

__all__ = [
    "PERIODS",
    "SAMPLES",
    "Aggregate",
    "Avg",
    "Count",
    "Goal",
    "Max",
    "Min",
    "Per",
    "Shown",
    "Sum",
    "Text",
]

Path = str | Combinable
Per = str | tuple[str, ...] | None
Text = str | Promise


PERIODS = ("day", "week", "month")
"""What a goal may be for: the calendar's, in the person's own time zone."""

SAMPLES = tuple(2**n for n in range(1, 17))
"""Of how many distinct values one may be kept."""


@dataclass(frozen=True)
class Goal:
    """What to reach in a period. A person may set another one from ``least`` to ``most``; where
    both are ``target``, nobody may."""

    target: int
    least: int = 1
    most: int = 1000

    def __post_init__(self) -> None:
        numbers: tuple[Any, ...] = (self.target, self.least, self.most)
        if any(isinstance(n, bool) or not isinstance(n, int) for n in numbers) or not (
            1 <= self.least <= self.target <= self.most
        ):
            raise ValueError(
                f"A goal of {self.target!r}, {self.least!r} to {self.most!r}: give whole numbers, "
                "1 <= least <= target <= most."
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class Shown:
    """The base of every number that can be shown.

    ``label``, ``icon``, ``group``, ``levels``
        How it is shown. ``levels`` maps a name to the least value that has it.
    ``public``
        Whether everybody may read it through the API and unsigned topics.
    ``audience``
        ``callable(user, of) -> bool`` that decides instead.
    """

    label: Text | None = None
    icon: str = ""
    group: str = ""
    levels: Mapping[str, float] | None = None
    public: bool = False
    audience: Callable[[Any, Any], bool] | None = None

    def titled(self, name: str) -> str:
        """The label, or what the name of the declaration makes."""
        return str(self.label or name.replace("_", " ").capitalize())


@dataclass(frozen=True, eq=False)
class Aggregate(Shown):
    """The base of what can be counted.

    Keywords shared by all:

    ``per``
        A field, over relations if need be (``"quiz__packages"``): one number for each of its
        values instead of one for the site. A tuple of fields: one for each combination.
        Of an activity (``events=``): ``"actor"`` or ``"target"``.
    ``filter``
        Narrows the class's ``filter`` (both must hold).
    ``at``
        When a row counts, instead of the class's ``at``.
    ``window``
        The part of time that :meth:`value` looks at when not told otherwise.
    ``events``
        Count what happened (an activity) instead of rows as they are.
    ``goals``, ``milestones``, ``streaks``
        Of a counter ``per`` the user: what a person wants to reach in a ``"day"``, ``"week"`` or
        ``"month"`` (a number, or a :class:`Goal` with bounds for the person's own), totals to
        celebrate, and days in a row.
    """

    expression: Path | None = None
    _: KW_ONLY
    filter: Q | None = None
    per: Per = None
    at: Path | None = None
    window: Window = ever
    events: Activity | None = None
    goals: Mapping[str, int | Goal] | None = None
    milestones: Sequence[int] = ()
    streaks: Sequence[int] = ()

    needs_expression: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name = type(self).__name__
        if self.needs_expression and self.expression is None:
            raise TypeError(f'live.{name}() needs what to add up: live.{name}("field").')
        if self.expression is not None and not isinstance(self.expression, (str, Combinable)):
            raise TypeError(
                f"live.{name}({self.expression!r}): give a field name or an expression."
            )
        if not isinstance(self.window, Window):
            raise TypeError(
                f"live.{name}(window={self.window!r}): give live.ever, live.today, "
                "live.this_week, live.this_month or live.last(...)."
            )
        if self.events is not None and not isinstance(self.events, Activity):
            raise TypeError(
                f"live.{name}(events={self.events!r}): give a live.Activity, "
                "for example one declared above it in the same class."
            )
        if self.filter is not None and not isinstance(self.filter, Q):
            raise TypeError(f"live.{name}(filter={self.filter!r}): give a Q object.")
        several = isinstance(self.per, tuple) and len(self.per) > 1
        paths = self.per if isinstance(self.per, tuple) and several else (self.per or "",)
        if not all(isinstance(path, str) for path in paths):
            raise TypeError(
                f"live.{name}(per={self.per!r}): give the name of a field, or a tuple of several."
            )
        self._check_progress(name)

    def _check_progress(self, name: str) -> None:
        wanted = {"goals": self.goals, "milestones": self.milestones, "streaks": self.streaks}
        given = [word for word, value in wanted.items() if value]
        if given and not isinstance(self.per, str):
            raise TypeError(f'live.{name}({given[0]}=...) is of a person; give per="user".')
        for period, goal in (self.goals or {}).items():
            if period not in PERIODS:
                raise ValueError(
                    f"live.{name}(goals={{{period!r}: ...}}): choose among "
                    f"{', '.join(map(repr, PERIODS))}."
                )
            if not isinstance(goal, Goal):
                Goal(goal)
        for word, steps in (("milestones", self.milestones), ("streaks", self.streaks)):
            if any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in steps):
                raise ValueError(f"live.{name}({word}={steps!r}): give whole numbers above 0.")

    @property
    def timed(self) -> bool:
        """Whether its window needs a time."""
        return not isinstance(self.window, Ever)


@dataclass(frozen=True, eq=False)
class Count(Aggregate):
    """How many rows; with an expression those where it is not NULL; with ``distinct=True`` how
    many different values of it.

    With ``sample=64`` it is an estimate: one in 64 of the values is kept, chosen by a hash of the
    value, and counted as 64. :meth:`error` says how far off it is.
    """

    distinct: bool = field(default=False, kw_only=True)
    sample: int = field(default=1, kw_only=True)

    needs_expression: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.distinct and self.expression is None:
            raise TypeError('live.Count(distinct=True) needs a field: live.Count("user", ...).')
        self._check_sample()

    def _check_sample(self) -> None:
        said = f"live.Count(sample={self.sample!r})"
        if isinstance(self.sample, bool) or not isinstance(self.sample, int):
            raise TypeError(f"{said}: give a whole number.")
        if self.sample == 1:
            return
        if self.sample not in SAMPLES:
            raise ValueError(
                f"{said}: give a power of two from {SAMPLES[0]} to {SAMPLES[-1]}: one in so many "
                "values is kept."
            )
        if not self.distinct:
            raise TypeError(f"{said} is of different values; give distinct=True.")
        if self.goals or self.milestones or self.streaks:
            raise TypeError(
                f"{said} is an estimate, which reaches no goal, milestone or streak; leave them "
                "away, or sample=."
            )

    def error(self, number: float) -> float | None:
        """The relative standard error of ``number``: two in three numbers are off by less, 19 of
        20 by less than twice as much. ``None`` if it counts exactly.

        Of n values a fixed share 1/s is kept, each by chance: binomial, so the estimate has the
        variance n * (s - 1). Gibbons, "Distinct Sampling for Highly-Accurate Answers to Distinct
        Values Queries and Event Reports", VLDB 2001. A number below s is taken for s, the least
        that can be said.
        """
        if self.sample == 1:
            return None
        return math.sqrt((self.sample - 1) / max(number, self.sample))


@dataclass(frozen=True, eq=False)
class Sum(Aggregate):
    """The sum of an expression; 0 without rows. Decimals are kept exactly."""


@dataclass(frozen=True, eq=False)
class Avg(Aggregate):
    """The mean of an expression over the rows where it is not NULL; ``None`` without any."""


@dataclass(frozen=True, eq=False)
class Min(Aggregate):
    """The least value of an expression; ``None`` without rows. Right as soon as it is deleted."""


@dataclass(frozen=True, eq=False)
class Max(Aggregate):
    """The greatest value of an expression; ``None`` without rows. Right as soon as it is
    deleted."""
