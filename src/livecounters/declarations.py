"""What a host declares to be counted: frozen values that know nothing of the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from django.db.models import Q
from django.db.models.expressions import Combinable
from django.utils.functional import Promise

from livecounters.activities import Activity
from livecounters.windows import Ever, Window, ever

__all__ = ["Aggregate", "Avg", "Count", "Max", "Min", "Per", "Shown", "Sum", "Text"]

Path = str | Combinable
Per = str | tuple[str, ...] | None
Text = str | Promise


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
    """

    expression: Path | None = None
    _: KW_ONLY
    filter: Q | None = None
    per: Per = None
    at: Path | None = None
    window: Window = ever
    events: Activity | None = None

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

    @property
    def timed(self) -> bool:
        """Whether its window needs a time."""
        return not isinstance(self.window, Ever)


@dataclass(frozen=True, eq=False)
class Count(Aggregate):
    """How many rows; with an expression those where it is not NULL; with ``distinct=True`` how
    many different values of it."""

    distinct: bool = field(default=False, kw_only=True)

    needs_expression: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.distinct and self.expression is None:
            raise TypeError('live.Count(distinct=True) needs a field: live.Count("user", ...).')


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
