"""Attendance: who is in which room by the sockets of this process. A book without clock or I/O.

Somebody with several sockets is in a room once, and leaves it a while after the last of them:
a page that is reloaded is not gone.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from livecounters.presence.base import Came, Changes, Who
from livecounters.presence.devices import Devices, Seat

__all__ = ["Attendance"]

MAX_TABS = 50
"""A page that shares its socket cannot be more connections than that."""


@dataclass
class _Member:
    """Somebody in a room."""

    since: float
    seats: set[Hashable] = field(default_factory=set)
    # Until when the last socket may be replaced.
    until: float | None = None
    away: bool = False
    # What was told last: nothing yet, or whether they were away.
    told: bool | None = None


class Attendance:
    """The book; ``now`` is in seconds."""

    def __init__(self) -> None:
        self._seats: dict[Hashable, Seat] = {}
        self._members: dict[tuple[str, Who], _Member] = {}
        self._totals: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._fresh: set[tuple[str, Who]] = set()
        self._leaving: dict[tuple[str, Who], None] = {}
        self._counted: set[str] = set()
        self._gone: list[tuple[str, Who]] = []
        self._devices = Devices()

    def __len__(self) -> int:
        return len(self._seats)

    # What happens

    def enter(self, seat: Hashable, room: str, now: float) -> None:
        """A socket comes into a room."""
        there = self._seats.setdefault(seat, Seat())
        if room in there.rooms:
            return
        there.rooms.add(room)
        self._devices.look(there)
        self._count(room, there.tabs)
        if there.who is not None:
            self._sit(seat, room, there, now)

    def identify(self, seat: Hashable, who: Who, now: float, agent: str = "") -> None:
        """It turns out who is at a socket, with which kind of browser. Once: whoever signs in
        opens another page."""
        there = self._seats.setdefault(seat, Seat())
        if there.who is not None:
            return
        there.who, there.agent = who, agent
        self._devices.sit(there, now)
        for room in there.rooms:
            self._sit(seat, room, there, now)

    def describe(self, seat: Hashable, tabs: int | None, away: bool | None) -> None:
        """How many pages share a socket, and whether nobody looks at them; None: as before."""
        there = self._seats.get(seat)
        if there is None:
            return
        more = 0 if tabs is None else max(1, min(tabs, MAX_TABS)) - there.tabs
        there.tabs += more
        there.away = there.away if away is None else away
        self._devices.look(there)
        for room in there.rooms:
            self._count(room, more)
            if there.who is not None:
                self._look(room, there.who)

    def leave(self, seat: Hashable, room: str, now: float, grace: float) -> None:
        """A socket leaves a room; who has no other there is gone after ``grace`` seconds."""
        there = self._seats.get(seat)
        if there is None or room not in there.rooms:
            return
        there.rooms.discard(room)
        self._devices.look(there)
        self._count(room, -there.tabs)
        if there.who is not None:
            self._rise(seat, room, there.who, now + grace)

    def drop(self, seat: Hashable, now: float, grace: float) -> None:
        """A socket is closed."""
        there = self._seats.get(seat)
        if there is None:
            return
        self._devices.rise(there, now + grace)
        for room in list(there.rooms):
            self.leave(seat, room, now, grace)
        del self._seats[seat]

    def _count(self, room: str, more: int) -> None:
        self._totals[room] = self._totals.get(room, 0) + more
        if not self._totals[room]:
            del self._totals[room]
        if self._totals.get(room, 0) == self._told.get(room, 0):
            self._counted.discard(room)
        else:
            self._counted.add(room)

    def _sit(self, seat: Hashable, room: str, there: Seat, now: float) -> None:
        assert there.who is not None
        key = (room, there.who)
        member = self._members.get(key)
        if member is None:
            member = self._members[key] = _Member(now, away=there.away)
        member.seats.add(seat)
        member.until = None
        self._leaving.pop(key, None)
        self._look(room, there.who)

    def _rise(self, seat: Hashable, room: str, who: Who, until: float) -> None:
        member = self._members[room, who]
        member.seats.discard(seat)
        if not member.seats:
            member.until = until
            self._leaving[room, who] = None
        else:
            self._look(room, who)

    def _look(self, room: str, who: Who) -> None:
        member = self._members[room, who]
        member.away = all(self._seats[seat].away for seat in member.seats)
        if member.told != member.away:
            self._fresh.add((room, who))

    def present(self, room: str) -> list[Who]:
        """Who is in a room by this process."""
        return [
            who for (where, who), member in self._members.items() if where == room and member.seats
        ]

    # What is to be told

    def due(self, now: float) -> bool:
        """Whether there is anything to tell."""
        self._see_off(now)
        return bool(self._fresh or self._gone or self._counted or self._devices)

    def next_due(self) -> float | None:
        """When the next one is gone who left, if nobody comes back; ``None`` if nobody left."""
        times = [self._members[key].until for key in self._leaving] + [self._devices.next_due()]
        return min((time for time in times if time is not None), default=None)

    def changes(self, now: float, whole: bool = False) -> Changes:
        """What is to be told. :meth:`told` says that it was."""
        self._see_off(now)
        if whole:
            everybody = [self._came(key) for key in self._members]
            devices = self._devices.changes(whole)
            return Changes(everybody, (), dict(self._totals), True, devices)
        came = [self._came(key) for key in self._fresh if key in self._members]
        return Changes(
            came,
            list(self._gone),
            {room: self._totals.get(room, 0) for room in self._counted},
            devices=self._devices.changes(),
        )

    def told(self, changes: Changes) -> None:
        """The store has taken these changes in."""
        self._devices.told(changes.devices, changes.whole)
        for came in changes.came:
            member = self._members.get((came.room, came.who))
            if member is not None:
                member.told = came.away
                if member.told == member.away:
                    self._fresh.discard((came.room, came.who))
        if changes.whole:
            self._gone.clear()
            self._told.clear()
        else:
            taken = set(changes.left)
            self._gone = [key for key in self._gone if key not in taken]
        self._fresh = {key for key in self._fresh if key in self._members}
        for room, number in changes.connections.items():
            if number:
                self._told[room] = number
            else:
                self._told.pop(room, None)
        rooms = {*self._counted, *changes.connections}
        self._counted = {r for r in rooms if self._totals.get(r, 0) != self._told.get(r, 0)}

    def _came(self, key: tuple[str, Who]) -> Came:
        member = self._members[key]
        return Came(*key, member.since, member.away)

    def _see_off(self, now: float) -> None:
        self._devices.see_off(now)
        for key in list(self._leaving):
            member = self._members[key]
            assert member.until is not None
            if member.until <= now:
                del self._leaving[key], self._members[key]
                self._fresh.discard(key)
                if member.told is not None:
                    self._gone.append(key)
