"""Leaderboards: who is first, with names, and where one stands oneself.

Ranks count everybody, so that they are the same for every viewer. Who does not want to be
listed (``preferences.LEADERBOARD``), whom ``MAY_BE_SEEN`` hides and who is no more is left out,
and leaves a gap in the ranks; each person sees their own line all the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model

from livecounters.conf import options
from livecounters.keys import is_key, text_of
from livecounters.people import key_of
from livecounters.preferences import LEADERBOARD, opted_out
from livecounters.ranking import Place
from livecounters.readers import Counter
from livecounters.topics import models_of
from livecounters.windows import Window
from livecounters.worth import Number

__all__ = ["MOST", "Line", "beside", "board", "of_people"]

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
    several = isinstance(counter.per, tuple) and len(counter.per) > 1
    if several and within is None:
        raise TypeError(f"{counter.name} is counted per {counter.per!r}; give within=.")


def _several(within: Any) -> tuple[Any, ...]:
    return tuple(within) if isinstance(within, (list, tuple)) else (within,)


def _lines(counter: Counter, places: Iterable[Place], viewer: Any) -> list[Line]:
    places = list(places)
    label = models_of(counter.entry)[-1]
    names, listed = _names(label, [place.scope for place in places])
    own = _own(label, viewer)
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


def _own(label: str, viewer: Any) -> str | None:
    if viewer is None or not viewer.is_authenticated or label != get_user_model()._meta.label_lower:
        return None
    return key_of(viewer)


def _names(label: str, keys: list[str]) -> tuple[Mapping[str, str], set[str]]:
    """Names by key, in one query, and whose may be shown to others; two queries for people."""
    if not label:
        # The values of a field, such as a currency.
        return {key: key for key in keys}, set(keys)
    model = apps.get_model(label)
    wanted = [key for key in keys if is_key(model._meta.pk, key)]
    rows = model._default_manager.filter(pk__in=wanted)
    if model is get_user_model():
        rows = options().with_names(rows)
    found = {text_of(model._meta.pk, one): one for one in rows}
    if model is not get_user_model():
        return {key: str(one) for key, one in found.items()}, set(found)
    unwanted = opted_out(LEADERBOARD, found)
    listed = {
        key
        for key, one in found.items()
        if key not in unwanted and one.is_active and options().may_be_seen(one)
    }
    return {key: options().actor_name(one) for key, one in found.items()}, listed
