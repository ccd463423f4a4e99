"""Leaderboards: who is first, with names, and where one stands oneself.

Ranks count everybody, so that they are the same for every viewer. Who does not want to be
listed (``preferences.LEADERBOARD``), whom ``MAY_BE_SEEN`` hides and who is no more is left out,
and leaves a gap in the ranks; each person sees their own line all the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.crypto import salted_hmac

from livecounters.frames import plain
from livecounters.names import names_of
from livecounters.people import key_of
from livecounters.ranking import Place
from livecounters.readers import Counter
from livecounters.topics import models_of
from livecounters.windows import Window
from livecounters.worth import Number

__all__ = ["MOST", "Line", "beside", "board", "mark_of", "of_people"]

MOST = 100
"""So many lines at the most."""

# Where many are left out, so many places are looked at for one line.
PATIENCE = 5


@dataclass(frozen=True)
class Line:
    """A line of a leaderboard. ``listed`` is false for one's own that nobody else sees."""

    rank: int
    key: str
    name: str
    value: Number
    own: bool = False
    listed: bool = True

    @property
    def mark(self) -> str:
        """Stands for the key where everybody sees it: whoever has a key can tell their line."""
        return mark_of(self.key)

    def as_json(self) -> dict[str, Any]:
        """As it travels, to all viewers alike."""
        return {"rank": self.rank, "name": self.name, "value": plain(self.value), "own": self.mark}


def mark_of(key: str) -> str:
    """The mark of a key."""
    return salted_hmac("livecounters.leaderboards", key).hexdigest()[:16]


def board(
    counter: Counter,
    number: int = 10,
    *,
    viewer: Any = None,
    within: Any = None,
    window: Window | None = None,
    at: dt.datetime | None = None,
) -> list[Line]:
    """The first lines of a counter ``per`` one object (or, ``within`` the first keys of several),
    for a viewer."""
    _check(counter, within)
    number = max(1, min(number, MOST))
    wanted = number
    while True:
        places = counter.top(wanted, within=within, window=window, at=at)
        lines = _lines(counter, places, viewer)
        if len(lines) >= number or len(places) < wanted or wanted >= number * PATIENCE:
            return lines[:number]
        wanted = min(wanted * 2, number * PATIENCE)


def beside(
    counter: Counter,
    user: Any,
    near: int = 2,
    *,
    within: Any = None,
    window: Window | None = None,
    at: dt.datetime | None = None,
) -> list[Line]:
    """A person's own line and those just before and after it; nothing if they have done nothing."""
    _check(counter, within)
    near = max(0, min(near, MOST))
    of = user if within is None else (*_several(within), user)
    return _lines(counter, counter.neighbours(of=of, near=near, window=window, at=at), user)


def of_people(counter: Counter) -> bool:
    """Whether the lines are people."""
    return models_of(counter.entry)[-1] == get_user_model()._meta.label_lower


def _check(counter: Counter, within: Any) -> None:
    if counter.sample > 1:
        raise TypeError(
            f"{counter.name} is an estimate (sample=), by which nobody is ranked. Show it as a "
            "breakdown."
        )
    several = isinstance(counter.per, tuple) and len(counter.per) > 1
    if several and within is None:
        raise TypeError(f"{counter.name} is counted per {counter.per!r}; give within=.")


def _several(within: Any) -> tuple[Any, ...]:
    return tuple(within) if isinstance(within, (list, tuple)) else (within,)


def _lines(counter: Counter, places: Iterable[Place], viewer: Any) -> list[Line]:
    places = list(places)
    names, listed = names_of(counter, [place.scope for place in places])
    own = _own(counter, viewer)
    return [
        Line(
            rank=place.rank,
            key=place.scope,
            name=names[place.scope],
            value=place.value,
            own=place.scope == own,
            listed=place.scope in listed,
        )
        for place in places
        if place.scope in names and (place.scope in listed or place.scope == own)
    ]


def _own(counter: Counter, viewer: Any) -> str | None:
    if viewer is None or not viewer.is_authenticated or not of_people(counter):
        return None
    return key_of(viewer)
