"""Gauges as they are read: who is online, who was lately, and what the host measures."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from livecounters import samples, sightings
from livecounters.answers import Values
from livecounters.conf import site_zone
from livecounters.gauges import SITE, Active, Gauge, Online
from livecounters.keys import text_of
from livecounters.presence import Counts, store
from livecounters.registry import GaugeEntry, registry
from livecounters.series import Point, Series
from livecounters.windows import Window
from livecounters.worth import Number

__all__ = [
    "ACTIVE",
    "GAUGE",
    "ONLINE",
    "Meter",
    "Person",
    "ask_again",
    "counts",
    "presence_declared",
    "read",
]

logger = logging.getLogger("livecounters")

AWAY = 2.0
"""Seconds for which a store that did not answer is not asked again."""

# What changes are announced under.
ONLINE, ACTIVE, GAUGE = "online", "active", "gauge"


@dataclass(frozen=True)
class Person:
    """Somebody in a roster: the user, and since when they are here; ``away`` if they do not
    look, or have not touched a page for five minutes."""

    user: Any
    since: dt.datetime
    away: bool


@dataclass(frozen=True)
class Meter:
    """A declared gauge, to be read. Values are whole numbers for ``Online`` and ``Active``, and
    what the source gave for ``Gauge``; ``None`` is not known."""

    entry: GaugeEntry

    @property
    def name(self) -> str:
        """The full name."""
        return self.entry.full_name

    @property
    def label(self) -> str:
        return self.entry.declared.titled(self.entry.name)

    @property
    def per(self) -> str | None:
        """What each number is about, if it is not one for the site."""
        return None if self.entry.model is None else self.entry.model._meta.model_name

    def scope(self, of: Any) -> str:
        """The text of an object's key."""
        if self.entry.model is None:
            if of is not None:
                raise TypeError(f"{self.name} is one number for the site; it has no of=.")
            return ""
        if of is None:
            raise TypeError(f"{self.name} is about one {self.per} each; give of=.")
        return text_of(self.entry.model._meta.pk, of)

    def origin(self, scope: str) -> tuple[str, str]:
        """What its changes are announced under, and of that which one."""
        if isinstance(self.entry.declared, Online):
            return ONLINE, self.room(scope)
        return (ACTIVE, "") if isinstance(self.entry.declared, Active) else (GAUGE, self.name)

    def value(self, *, of: Any = None, at: dt.datetime | None = None) -> Number:
        """The number now."""
        return read([(self, self.scope(of))], _stamp(at))[0]

    def values(self, *, of: Iterable[Any], at: dt.datetime | None = None) -> Values:
        """The numbers of many objects, in one go: a dict by the objects given."""
        wanted = list(of)
        found = read([(self, self.scope(one)) for one in wanted], _stamp(at))
        return Values(dict(zip(wanted, found, strict=True)), self.scope)

    def series(
        self,
        *,
        window: Window,
        step: str = "hour",
        at: dt.datetime | None = None,
        what: str = "mean",
    ) -> Series:
        """The window cut into steps, oldest first: what was sampled in each (``what``: mean, low,
        high, p95 or count); ``None`` where nothing was. Of ``Online`` the whole room only."""
        if isinstance(self.entry.declared, Active) or self.entry.model is not None:
            raise TypeError(f"{self.name} is not kept as history.")
        return samples.series(self.name, window, step, _moment(at), what)

    async def avalue(self, **kwargs: Any) -> Number:
        return await sync_to_async(self.value)(**kwargs)

    async def avalues(self, **kwargs: Any) -> Values:
        return await sync_to_async(self.values)(**kwargs)

    async def aseries(self, **kwargs: Any) -> list[Point]:
        return await sync_to_async(self.series)(**kwargs)

    # Of Online

    def room(self, scope: str = "") -> str:
        """The name of the room that a number is about."""
        declared = self._online
        return f"{self.name}:{scope}" if self.entry.model is not None else declared.room or SITE

    def counts(self, *, of: Any = None, at: dt.datetime | None = None) -> Counts:
        """People, guests and connections in the room (of an object) now."""
        room = self.room(self.scope(of))
        return store().counts([room], _stamp(at))[room]

    def roster(
        self, *, of: Any = None, start: int = 0, number: int = 50, at: dt.datetime | None = None
    ) -> list[Person]:
        """Who is in the room, who came first first. Only of ``live.Online(roster=True)``; the
        users are fetched in one query."""
        if not self._online.roster:
            raise TypeError(f"{self.name} has no roster; declare it as live.Online(roster=True).")
        found = store().roster(self.room(self.scope(of)), _stamp(at), start, number)
        users = get_user_model()._default_manager.in_bulk([one.key for one in found])
        by_key = {text_of(get_user_model()._meta.pk, user): user for user in users.values()}
        return [
            Person(by_key[one.key], dt.datetime.fromtimestamp(one.since, site_zone()), one.away)
            for one in found
            if one.key in by_key
        ]

    @property
    def people(self) -> int:
        """How many people are here now."""
        return self.counts().people

    @property
    def guests(self) -> int:
        """How many guests are here now."""
        return self.counts().guests

    @property
    def connections(self) -> int:
        """How many pages are open now."""
        return self.counts().connections

    @property
    def _online(self) -> Online:
        if not isinstance(self.entry.declared, Online):
            raise TypeError(f"{self.name} is no live.Online; it has no room.")
        return self.entry.declared


def presence_declared() -> bool:
    """Whether the site wants to know who is here."""
    return any(isinstance(gauge.declared, (Online, Active)) for gauge in registry.gauges)


def read(questions: Sequence[tuple[Meter, str]], now: float) -> list[Number]:
    """The numbers of meters and scopes: one question to the presence store for all rooms, one
    query for each window of ``Active``, one for all gauges."""
    rooms = {
        meter.room(scope) for meter, scope in questions if isinstance(meter.entry.declared, Online)
    }
    here = counts(rooms, now)
    lately: dict[int, int] = {}
    names = [m.name for m, _ in questions if isinstance(m.entry.declared, Gauge)]
    latest = samples.latest(names, now) if names else {}
    found: list[Number] = []
    for meter, scope in questions:
        declared = meter.entry.declared
        if isinstance(declared, Online):
            room = here.get(meter.room(scope))
            found.append(None if room is None else room.online)
        elif isinstance(declared, Active):
            seconds = declared.window.seconds
            if seconds not in lately:
                lately[seconds] = sightings.active(now - seconds)
            found.append(lately[seconds])
        else:
            found.append(latest.get(meter.name))
    return found


def counts(rooms: Iterable[str], now: float) -> dict[str, Counts]:
    """How many are in these rooms; nothing while the presence store cannot be asked."""
    wanted = list(rooms)
    if not wanted or time.monotonic() < _away.until:
        return {}
    try:
        return store().counts(wanted, now)
    except Exception as error:
        # Whatever a store's library raises when its server is gone: pages are shown without, and
        # none but the first waits for it.
        logger.warning("livecounters: the presence store does not answer: %r", error)
        _away.until = time.monotonic() + AWAY
        return {}


def ask_again() -> None:
    """Ask the store the next time, though it did not answer."""
    _away.until = 0.0


class _Away:
    """Until when the store is not asked again."""

    until = 0.0


_away = _Away()


def _moment(at: dt.datetime | None) -> dt.datetime:
    return at if at is not None else dt.datetime.now(dt.UTC)


def _stamp(at: dt.datetime | None) -> float:
    return _moment(at).timestamp()
