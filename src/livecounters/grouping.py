"""Grouping: which events are told as one, and how many those are.

Of which group an event is, the event and the rule alone decide; so it can be judged wherever the
event is told, and nothing of it is stored. How many there are is read anew each time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet, Value
from django.utils import timezone
from django.utils.crypto import salted_hmac

from livecounters.activities import Group
from livecounters.conf import site_zone
from livecounters.models import ActivityEvent
from livecounters.models.events import FORGOTTEN, UNTOLD
from livecounters.registry import registry
from livecounters.selection import Selection

__all__ = ["LONE", "Key", "Size", "grouped", "key_of", "sizes"]

MONDAY = dt.datetime(1970, 1, 5)  # noqa: DTZ001

AT_ONCE = 100
"""Groups that one statement reads; SQLite puts at most 500 together."""


LONE = Q(actor_model=FORGOTTEN) | Q(target_model=FORGOTTEN)
"""Events of somebody who was forgotten: they belong to no group."""


class Key(NamedTuple):
    """What the events of a group have in common: their kind, some columns (name, model, key),
    and the stretch of time in which they happened."""

    kind: str
    columns: tuple[tuple[str, str, str | None], ...]
    start: dt.datetime
    end: dt.datetime

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that they have in common."""
        return tuple(name for name, _, _ in self.columns)

    @property
    def id(self) -> str:
        """A name of it that tells nothing."""
        return salted_hmac("livecounters.group", repr(tuple(self))).hexdigest()[:16]

    @property
    def where(self) -> dict[str, Any]:
        """Its events, for a query of them."""
        found: dict[str, Any] = {"kind": self.kind, "at__gte": self.start, "at__lt": self.end}
        for column, model, key in self.columns:
            found |= {f"{column}_model": model, column: key}
        return found


class Size(NamedTuple):
    """How many events of how many actors beside the newest one's, and the newest's number."""

    events: int
    others: int
    newest: int


def grouped(kinds: Sequence[str] | None) -> bool:
    """Whether there is a rule for any of these kinds (None: of all)."""
    return any(
        entry.declared.group is not None and (kinds is None or entry.full_name in kinds)
        for entry in registry.activities
    )


def key_of(row: ActivityEvent) -> Key | None:
    """The group of an event. One of somebody who was forgotten is of none."""
    group = _group_of(row.kind)
    if group is None or FORGOTTEN in (row.actor_model, row.target_model):
        return None
    columns = tuple(
        (column, getattr(row, f"{column}_model"), getattr(row, column)) for column in group.by
    )
    return Key(row.kind, columns, *_stretch(row.at, group.within))


def _group_of(kind: str) -> Group | None:
    try:
        return registry.activities.get(kind).declared.group
    except LookupError:
        return None


def _stretch(at: dt.datetime, length: dt.timedelta) -> tuple[dt.datetime, dt.datetime]:
    """The stretch of a moment, by the site's clocks."""
    wall = at if timezone.is_naive(at) else at.astimezone(site_zone()).replace(tzinfo=None)
    start = MONDAY + (wall - MONDAY) // length * length
    return _stored(start), _stored(start + length)


def _stored(wall: dt.datetime) -> dt.datetime:
    return wall.replace(tzinfo=site_zone()) if settings.USE_TZ else wall


def sizes(asked: Sequence[tuple[Key, Selection]], upto: int, using: str) -> list[Size]:
    """How large each group is, of what a selection asks for beside; of events numbered up to
    ``upto``. One query for a hundred."""
    found: list[Size] = []
    for start in range(0, len(asked), AT_ONCE):
        first, *rest = [
            _size(place, key, beside, upto, using)
            for place, (key, beside) in enumerate(asked[start : start + AT_ONCE])
        ]
        rows = sorted(first.union(*rest, all=True) if rest else first)
        found += [Size(count, max(0, people - 1), newest or 0) for _, count, people, newest in rows]
    return found


def _size(
    place: int, key: Key, beside: Selection, upto: int, using: str
) -> QuerySet[ActivityEvent, tuple[Any, ...]]:
    told = ActivityEvent.objects.using(using).filter(
        ~LONE, beside.where, seq__gt=UNTOLD, seq__lte=upto, **key.where
    )
    # Each whose name is not known is somebody else.
    people = Count("actor", distinct=True) + Count("id") - Count("actor")
    return (
        told.order_by()
        .values(place=Value(place))
        .annotate(count=Count("id"), people=people, newest=Max("seq"))
        .values_list("place", "count", "people", "newest")
    )
