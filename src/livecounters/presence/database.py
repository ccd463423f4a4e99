"""The presence store in the database: nothing to install, right across processes."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from livecounters.feed import database
from livecounters.models import Attendance, Devices, Presence, Process
from livecounters.presence.base import (
    Attendee,
    Came,
    Changes,
    Counts,
    Device,
    Kind,
    Store,
    Who,
    merged,
)

__all__ = ["DatabasePresence"]

PORTION = 500
"""Rows of one statement."""
FORGOTTEN = 60.0
"""Seconds after the end of its lease until a process is tidied away."""


class DatabasePresence(Store):
    """One row for each room that somebody is in by one process; a lease for each process."""

    def beat(self, process: str, changes: Changes, now: float, lease: float) -> bool:
        with transaction.atomic(using=database()):
            if not self._renew(process, changes.whole, now, lease):
                return False
            self._take_out(process, changes.left)
            self._put_in(process, changes.came)
            self._number(process, changes)
            self._list(process, changes)
        return True

    def counts(self, rooms: Iterable[str], now: float) -> dict[str, Counts]:
        wanted = list(dict.fromkeys(rooms))
        found = {room: [0, 0, 0] for room in wanted}
        alive = self._alive(now)
        for portion in _portions(wanted):
            here = _all(Presence).filter(room__in=portion, process__in=alive)
            # Within one process nobody is in a room twice.
            number = Count("member", distinct=len(alive) > 1)
            here = here.exclude(Q(kind=Kind.GUEST) & Exists(_claims(alive)))
            for room, kind, one in here.values_list("room", "kind").annotate(number):
                found[room][0 if kind == Kind.PERSON else 1] = one
            sockets = _all(Attendance).filter(room__in=portion, process__in=alive)
            for room, one in sockets.values_list("room", "connections"):
                found[room][2] += one
        return {room: Counts(*numbers) for room, numbers in found.items()}

    def roster(self, room: str, now: float, start: int, number: int) -> list[Attendee]:
        here = self._people(room, now).values_list("member", "since", "away")
        first: dict[str, Attendee] = {}
        for key, since, away in here.order_by("since", "member"):
            known = first.setdefault(key, Attendee(key, since, away))
            first[key] = known._replace(away=known.away and away)
        return list(first.values())[start : start + number]

    def people(self, room: str, now: float, among: Iterable[str] | None = None) -> set[str]:
        here = self._people(room, now)
        if among is None:
            return set(here.values_list("member", flat=True))
        found: set[str] = set()
        for portion in _portions(list(among)):
            found.update(here.filter(member__in=portion).values_list("member", flat=True))
        return found

    def devices(self, person: str, now: float) -> list[Device]:
        rows = _all(Devices).filter(member=person, process__in=self._alive(now))
        lists = rows.values_list("devices", flat=True)
        return merged(Device(*device) for devices in lists for device in devices)

    def processes(self, now: float) -> set[str]:
        return set(self._alive(now))

    def withdraw(self, process: str) -> None:
        with transaction.atomic(using=database()):
            self._clear([process])

    def forget(self, who: Who) -> None:
        _all(Presence).filter(kind=who.kind, member=who.key).delete()
        if who.is_person:
            _all(Devices).filter(member=who.key).delete()

    def close(self) -> None:
        """Connections are Django's."""

    # Writing

    def _renew(self, process: str, whole: bool, now: float, lease: float) -> bool:
        known = _all(Process).filter(name=process, expires_at__gt=now)
        if not whole:
            return bool(known.update(expires_at=now + lease))
        dead = _all(Process).filter(expires_at__lt=now - FORGOTTEN).values_list("name", flat=True)
        self._clear([process, *dead])
        _all(Process).create(name=process, expires_at=now + lease)
        return True

    def _clear(self, processes: list[str]) -> None:
        _all(Presence).filter(process__in=processes).delete()
        _all(Attendance).filter(process__in=processes).delete()
        _all(Devices).filter(process__in=processes).delete()
        _all(Process).filter(name__in=processes).delete()

    def _take_out(self, process: str, left: Sequence[tuple[str, Who]]) -> None:
        for portion in _portions(left):
            _all(Presence).filter(_any(portion), process=process).delete()

    def _put_in(self, process: str, came: Sequence[Came]) -> None:
        for portion in _portions(came):
            # Somebody who is away now, or back, is there already.
            keys = [(one.room, one.who) for one in portion]
            _all(Presence).filter(_any(keys), process=process).delete()
            _all(Presence).bulk_create(
                Presence(
                    room=one.room,
                    kind=one.who.kind.value,
                    member=one.who.key,
                    process=process,
                    visitor=one.who.browser,
                    since=one.since,
                    away=one.away,
                )
                for one in portion
            )

    def _number(self, process: str, changes: Changes) -> None:
        for portion in _portions(list(changes.connections.items())):
            if not changes.whole:
                rooms = [room for room, _ in portion]
                _all(Attendance).filter(process=process, room__in=rooms).delete()
            _all(Attendance).bulk_create(
                Attendance(process=process, room=room, connections=number)
                for room, number in portion
                if number
            )

    def _list(self, process: str, changes: Changes) -> None:
        for portion in _portions(list(changes.devices.items())):
            if not changes.whole:
                people = [person for person, _ in portion]
                _all(Devices).filter(process=process, member__in=people).delete()
            _all(Devices).bulk_create(
                Devices(process=process, member=person, devices=devices)
                for person, devices in portion
                if devices
            )

    # Reading

    def _alive(self, now: float) -> list[str]:
        return list(_all(Process).filter(expires_at__gt=now).values_list("name", flat=True))

    def _people(self, room: str, now: float) -> QuerySet[Presence]:
        here = _all(Presence).filter(room=room, kind=Kind.PERSON)
        return here.filter(process__in=self._alive(now))


def _all(model: Any) -> QuerySet[Any]:
    return model._base_manager.using(database())  # type: ignore[no-any-return]


def _claims(alive: list[str]) -> QuerySet[Presence]:
    """The people who came with a guest's browser."""
    return _all(Presence).filter(
        room=OuterRef("room"),
        kind=Kind.PERSON,
        visitor=OuterRef("member"),
        process__in=alive,
    )


def _any(keys: Iterable[tuple[str, Who]]) -> Q:
    """Rows of any of these."""
    rooms: dict[tuple[str, str], list[str]] = {}
    for room, who in keys:
        rooms.setdefault((room, who.kind.value), []).append(who.key)
    either = (Q(room=room, kind=kind, member__in=some) for (room, kind), some in rooms.items())
    return reduce(operator.or_, either)


def _portions(everything: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (everything[n : n + PORTION] for n in range(0, len(everything), PORTION))
