"""Devices: the browsers that people are here with, by the sockets of this process. A book without
clock or I/O.

A browser is known by the visitor's cookie and by its kind. It stays a while after its last socket
is closed, as its person does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from livecounters.presence.base import Device, Who

__all__ = ["Devices", "Seat"]


@dataclass(eq=False)
class Seat:
    """What a socket is: whose, of which kind of browser, in which rooms."""

    who: Who | None = None
    agent: str = ""
    rooms: set[str] = field(default_factory=set)
    tabs: int = 1
    away: bool = False


@dataclass
class _Browser:
    """A browser of somebody, and what it was when it had a socket last."""

    shown: Device
    seats: set[Seat] = field(default_factory=set)


class Devices:
    """The book; ``now`` is in seconds. People only: nobody may ask about guests."""

    def __init__(self) -> None:
        self._people: dict[str, dict[tuple[str, str], _Browser]] = {}
        self._told: dict[str, tuple[Device, ...]] = {}
        self._fresh: set[str] = set()
        self._leaving: dict[tuple[str, tuple[str, str]], float] = {}

    def sit(self, seat: Seat, now: float) -> None:
        """It turned out who is at a socket."""
        if seat.who is None or not seat.who.is_person:
            return
        name = (seat.who.visitor, seat.agent)
        browsers = self._people.setdefault(seat.who.key, {})
        if name not in browsers:
            browsers[name] = _Browser(Device(*name, now))
        browsers[name].seats.add(seat)
        self._leaving.pop((seat.who.key, name), None)
        self.look(seat)

    def look(self, seat: Seat) -> None:
        """The rooms or pages of a socket may have changed, or whether anybody looks."""
        if seat.who is None:
            return
        browser = self._people.get(seat.who.key, {}).get((seat.who.visitor, seat.agent))
        if browser is not None and browser.seats:
            browser.shown = browser.shown._replace(
                pages=sum(one.tabs for one in browser.seats),
                away=all(one.away for one in browser.seats),
                rooms=tuple(sorted(set().union(*(one.rooms for one in browser.seats)))),
            )
        self._note(seat.who.key)

    def rise(self, seat: Seat, until: float) -> None:
        """A socket is closed; its browser is gone then, unless it opens another."""
        if seat.who is None:
            return
        name = (seat.who.visitor, seat.agent)
        browser = self._people.get(seat.who.key, {}).get(name)
        if browser is None:
            return
        browser.seats.discard(seat)
        if not browser.seats:
            self._leaving[seat.who.key, name] = until
        self.look(seat)

    def see_off(self, now: float) -> None:
        """Who was to be gone by now is."""
        for (person, name), until in list(self._leaving.items()):
            if until > now:
                continue
            del self._leaving[person, name], self._people[person][name]
            if not self._people[person]:
                del self._people[person]
            self._note(person)

    def next_due(self) -> float | None:
        """When the next one is gone, if it does not come back."""
        return min(self._leaving.values(), default=None)

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._fresh)

    def changes(self, whole: bool = False) -> dict[str, tuple[Device, ...]]:
        """The browsers of the people with whom something has changed, or of all."""
        return {person: self._of(person) for person in (self._people if whole else self._fresh)}

    def told(self, devices: Mapping[str, tuple[Device, ...]], whole: bool) -> None:
        """The store has taken these in."""
        if whole:
            self._fresh.update(self._told)
            self._told.clear()
        self._told.update({person: some for person, some in devices.items() if some})
        for person in [person for person, some in devices.items() if not some]:
            self._told.pop(person, None)
        for person in [*self._fresh, *devices]:
            self._note(person)

    def _of(self, person: str) -> tuple[Device, ...]:
        browsers = self._people.get(person, {}).values()
        return tuple(browser.shown for browser in browsers)

    def _note(self, person: str) -> None:
        if self._of(person) == self._told.get(person, ()):
            self._fresh.discard(person)
        else:
            self._fresh.add(person)
