"""Presence: who is here, as one store knows it that all processes share.

A process tells the store who came to its sockets and who left, and renews its own lease; nobody
else's rows are ever renewed. So keeping 100,000 people costs one small write each heartbeat, and
what a killed process has told ends with its lease, judged when it is read.

A *person* is a signed-in user, a *guest* a visitor with our cookie, a *connection* an open page.
A guest whose browser somebody present has signed in with is that person: signing in or out
changes no sum.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Attendee", "Came", "Changes", "Counts", "Device", "Kind", "Store", "Who", "merged"]


class Kind(StrEnum):
    """What somebody is."""

    PERSON = "p"
    GUEST = "g"


@dataclass(frozen=True)
class Who:
    """A person by the key of the user, or a guest by the visitor's id; ``visitor`` is the
    browser that a person came with."""

    kind: Kind
    key: str
    visitor: str = field(default="", compare=False)

    @property
    def is_person(self) -> bool:
        """Whether it is a signed-in user."""
        return self.kind is Kind.PERSON

    @property
    def browser(self) -> str:
        """The visitor's id that a person claims; a guest claims nobody."""
        return self.visitor if self.is_person else ""


class Counts(NamedTuple):
    """How many are in a room."""

    people: int = 0
    guests: int = 0
    connections: int = 0

    @property
    def online(self) -> int:
        """People and guests."""
        return self.people + self.guests


class Came(NamedTuple):
    """Somebody who is in a room since a moment (seconds since 1970); ``away`` if they are here
    but do not look."""

    room: str
    who: Who
    since: float
    away: bool = False


class Attendee(NamedTuple):
    """A person in a roster."""

    key: str
    since: float
    away: bool


class Device(NamedTuple):
    """A browser that somebody is here with: the visitor's id of its cookie, its kind (see
    ``agents``), since when it is here, how many pages it has open, in which rooms; ``away`` if
    nobody looks at any of them."""

    browser: str
    agent: str
    since: float
    pages: int = 0
    away: bool = False
    rooms: Sequence[str] = ()


def merged(devices: Iterable[Device]) -> list[Device]:
    """What several processes know of somebody's browsers, as one list: who came first first."""
    found: dict[tuple[str, str], Device] = {}
    for one in sorted(devices, key=lambda device: device.since):
        known = found.setdefault((one.browser, one.agent), one._replace(pages=0, away=True))
        found[one.browser, one.agent] = known._replace(
            pages=known.pages + one.pages,
            away=known.away and one.away,
            rooms=tuple(sorted({*known.rooms, *one.rooms})),
        )
    return list(found.values())


@dataclass
class Changes:
    """What one process has to tell: who left, who came then (or is away now, or back), the rooms
    whose connections changed, and all browsers of the people whose browsers changed. If ``whole``
    it is all that there is of this process."""

    came: Sequence[Came] = ()
    left: Sequence[tuple[str, Who]] = ()
    connections: Mapping[str, int] = field(default_factory=dict)
    whole: bool = False
    devices: Mapping[str, tuple[Device, ...]] = field(default_factory=dict)

    @property
    def rooms(self) -> set[str]:
        """The rooms that are concerned."""
        return {
            *(came.room for came in self.came),
            *(room for room, _ in self.left),
            *self.connections,
        }


class Store(ABC):
    """Where presence is kept. All methods are synchronous and safe to call from any process.

    ``now`` is in seconds since 1970.
    """

    @abstractmethod
    def beat(self, process: str, changes: Changes, now: float, lease: float) -> bool:
        """Take in changes and believe the process for ``lease`` more seconds; all or nothing.

        ``False``, and nothing taken in, if the process is not known any more (its lease ran out,
        or the store was emptied) and the changes are not ``whole``: it is to tell everything.
        """

    @abstractmethod
    def counts(self, rooms: Iterable[str], now: float) -> dict[str, Counts]:
        """How many are in each of these rooms."""

    @abstractmethod
    def roster(self, room: str, now: float, start: int, number: int) -> list[Attendee]:
        """The people in a room, who came first first, ``number`` of them from ``start`` on."""

    @abstractmethod
    def people(self, room: str, now: float, among: Iterable[str] | None = None) -> set[str]:
        """The keys of the people in a room; only of those ``among`` which are asked for."""

    @abstractmethod
    def devices(self, person: str, now: float) -> list[Device]:
        """The browsers that a person is here with, which came first first."""

    @abstractmethod
    def processes(self, now: float) -> set[str]:
        """The processes that are believed."""

    @abstractmethod
    def withdraw(self, process: str) -> None:
        """Forget all that a process has told."""

    @abstractmethod
    def forget(self, who: Who) -> None:
        """Forget somebody, whoever has told of them."""

    @abstractmethod
    def close(self) -> None:
        """Give connections back."""
