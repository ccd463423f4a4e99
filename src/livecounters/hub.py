"""The hub: who follows what in this process, and which frame each is to get.

No database, no socket, no clock and no loop in here: what was read comes in, frames go out, time
is an argument. A frame is encoded once for a topic and language, and the same text is handed to
every socket.

What it promises: a socket gets a frame with the number N only after all events up to N of the
topics it follows. Counters skip to their newest value; a feed is whole or it is reset.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from livecounters import frames

__all__ = ["RING", "Delivery", "Feed", "Hub", "Number", "ReadOut", "Says", "Socket"]

# Events kept of each feed that somebody follows: what a page can resume from.
RING = 50


class Socket(Protocol):
    """Whatever takes frames."""

    language: str

    def write(self, text: str, replaces: Hashable = None) -> None: ...


class Says(Protocol):
    """An event: its number, what it is one item by, and what is said of it in a language."""

    @property
    def seq(self) -> int: ...

    @property
    def key(self) -> str: ...

    def say(self, language: str) -> Mapping[str, Any]: ...


class Delivery(NamedTuple):
    """A frame and who gets it; ``numbers`` are those whose newest values it says, so that it
    stands for any earlier frame about the same ones."""

    text: str
    sockets: tuple[Socket, ...]
    numbers: frozenset[str] | None = None


@dataclass(eq=False)
class Number:
    """A topic with a value that somebody follows. Pages call it ``said``, which several people's
    own topics share; ``scope`` is None if it is about all there are; one that is dear to read is
    read to be sure only every ``steady`` seconds."""

    name: str
    measure: str
    scope: str | None
    said: str = ""
    steady: float = 0.0
    sockets: set[Socket] = field(default_factory=set)
    known: bool = False
    value: Any = None
    dirty: bool = True
    read: float = float("-inf")
    interval: float = 0.0
    # When it was read before, if it is read now only to be sure.
    before: float | None = None


@dataclass(eq=False)
class Feed:
    """A feed topic that somebody follows, which pages call ``said``; ``ring`` holds all its
    items above ``since``."""

    name: str
    said: str = ""
    sockets: set[Socket] = field(default_factory=set)
    known: bool = False
    ring: list[Says] = field(default_factory=list)
    since: int = 0
    waiting: list[tuple[Socket, str | None, int | None]] = field(default_factory=list)


@dataclass(frozen=True)
class ReadOut:
    """What was read, all of one moment: the place in the stream, the values of numbers, the
    events since the place before (by feed), the newest events of feeds not known yet, and the
    highest number whose event is not kept any more."""

    epoch: str
    seq: int
    at: str
    values: Mapping[str, Any] = field(default_factory=dict)
    events: Mapping[str, list[Says]] = field(default_factory=dict)
    whole: Mapping[str, list[Says]] = field(default_factory=dict)
    pruned: int = 0


class Hub:
    """Topics, their sockets and what was last said of each."""

    def __init__(self, interval: float) -> None:
        self.interval = interval
        """The least seconds between two frames of one number."""
        self.epoch = ""
        self.seq = 0
        self.announced = 0
        self.numbers: dict[str, Number] = {}
        self.feeds: dict[str, Feed] = {}
        self.at = ""

    # Following

    def follow_number(
        self,
        socket: Socket,
        name: str,
        measure: str,
        scope: str | None,
        interval: float = 0.0,
        steady: float = 0.0,
        said: str = "",
    ) -> bool:
        """Follow a number that is sent at most once in so many seconds; answers whether its value
        is known and can be sent now."""
        number = self.numbers.get(name)
        if number is None:
            interval = max(interval, self.interval)
            number = Number(name, measure, scope, said or name, steady, interval=interval)
            self.numbers[name] = number
        number.sockets.add(socket)
        return number.known

    def known_values(self, names: Iterable[str]) -> str:
        """One frame with the values of numbers that are known."""
        found = {self.numbers[name].said: self.numbers[name].value for name in names}
        return frames.values(found, self.at, self.epoch, self.seq)

    def follow_feed(
        self, socket: Socket, name: str, epoch: str | None, seq: int | None, said: str = ""
    ) -> list[Delivery]:
        """Follow a feed from a place; answers what is to be sent now, if it is known already."""
        feed = self.feeds.setdefault(name, Feed(name, said or name))
        feed.sockets.add(socket)
        if not feed.known:
            feed.waiting.append((socket, epoch, seq))
            return []
        return self._catch_up(feed, socket, epoch, seq)

    def unfollow(self, socket: Socket, names: Iterable[str]) -> None:
        """Forget that a socket follows these topics; a topic without any is forgotten itself."""
        topics: tuple[dict[str, Any], ...] = (self.numbers, self.feeds)
        for name in names:
            for known in topics:
                topic = known.get(name)
                if topic is None:
                    continue
                topic.sockets.discard(socket)
                if not topic.sockets:
                    del known[name]

    def _catch_up(
        self, feed: Feed, socket: Socket, epoch: str | None, seq: int | None
    ) -> list[Delivery]:
        language = socket.language
        if epoch == self.epoch and seq is not None and feed.since <= seq <= self.seq:
            missed = [event.say(language) for event in feed.ring if event.seq > seq]
            text = frames.events(feed.said, missed, self.epoch, self.seq)
        else:
            whole = [event.say(language) for event in feed.ring]
            text = frames.reset(feed.said, whole, self.epoch, self.seq)
        return [Delivery(text, (socket,))]

    # What is to be read

    def touch(self, changed: Mapping[str, Iterable[str] | None], epoch: str, seq: int) -> None:
        """Numbers changed (measure -> scopes, None for all), the stream has reached a place."""
        scopes = {key: None if found is None else set(found) for key, found in changed.items()}
        for number in self.numbers.values():
            if number.measure in scopes:
                hit = scopes[number.measure]
                if hit is None or number.scope is None or number.scope in hit:
                    number.dirty, number.before = True, None
        newest = max(self.announced, seq)
        self.announced = newest if epoch == self.epoch else max(newest, self.seq + 1)

    def touch_all(self, now: float = float("inf")) -> None:
        """Read everything again: an announcement may have been lost, a window has moved."""
        for number in self.numbers.values():
            if not number.dirty and now >= number.read + number.steady:
                number.dirty, number.before = True, number.read
        self.announced = max(self.announced, self.seq + 1)

    def due(self, now: float) -> list[str]:
        """The numbers to be read now; each at most once an interval.

        They count as read from here on: what changes meanwhile makes them due again.
        """
        found = [n for n in self.numbers.values() if n.dirty and now >= n.read + n.interval]
        for number in found:
            number.dirty, number.read = False, now
        return [number.name for number in found]

    def next_due(self, now: float) -> float | None:
        """Seconds until :meth:`due` answers something, None if nothing waits."""
        waits = [n.read + n.interval - now for n in self.numbers.values() if n.dirty]
        return max(0.0, min(waits)) if waits else None

    def unknown_feeds(self) -> list[str]:
        return [feed.name for feed in self.feeds.values() if not feed.known]

    @property
    def moved(self) -> bool:
        """Whether the stream may have reached another place than the one that is known."""
        return not self.epoch or self.announced > self.seq

    @property
    def behind(self) -> bool:
        """Whether there may be events that were not read, or a feed without its first ones."""
        return bool(self.feeds) and (self.moved or bool(self.unknown_feeds()))

    # What was read

    def take(self, read: ReadOut) -> list[Delivery]:
        """Take in what was read and answer what is to be sent: events first, then values."""
        if read.epoch != self.epoch:
            self.announced = 0
        old = self.seq if read.epoch == self.epoch else 0
        self.epoch, self.seq, self.at = read.epoch, max(read.seq, old), read.at
        return [*self._take_events(read), *self._take_values(read)]

    def _take_events(self, read: ReadOut) -> list[Delivery]:
        deliveries: list[Delivery] = []
        for name, feed in self.feeds.items():
            if name not in read.whole:
                deliveries += self._tell(feed, read.events.get(name, []))
                continue
            if feed.known:
                # A known feed that is read whole was lost: another epoch, or too much at once.
                feed.waiting = [(socket, None, None) for socket in feed.sockets]
            feed.ring = list(read.whole[name])
            feed.since = feed.ring[0].seq - 1 if len(feed.ring) >= RING else read.pruned
            feed.known = True
            for socket, epoch, seq in feed.waiting:
                if socket in feed.sockets:
                    deliveries += self._catch_up(feed, socket, epoch, seq)
            feed.waiting = []
        return deliveries

    def _tell(self, feed: Feed, new: list[Says]) -> list[Delivery]:
        if not new:
            return []
        # An item that is told anew takes the place of what was told of it.
        anew = {event.key for event in new}
        feed.ring = [event for event in feed.ring if event.key not in anew] + new
        if len(feed.ring) > RING:
            feed.since = feed.ring[-RING - 1].seq
            feed.ring = feed.ring[-RING:]
        return [
            Delivery(
                frames.events(
                    feed.said, [event.say(language) for event in new], self.epoch, self.seq
                ),
                tuple(sockets),
            )
            for language, sockets in _by_language(feed.sockets).items()
        ]

    def _take_values(self, read: ReadOut) -> list[Delivery]:
        # Numbers that the same sockets follow, such as the cards of one page, share a frame.
        together: dict[frozenset[Socket], dict[str, Any]] = defaultdict(dict)
        news: list[Delivery] = []
        for name, value in read.values.items():
            number = self.numbers.get(name)
            if number is None:
                continue
            if number.known and number.value == value:
                if number.before is not None:
                    # Nothing was sent, so the next change need not wait.
                    number.read, number.before = number.before, None
                continue
            news += self._news(number, value)
            number.known, number.value = True, value
            together[frozenset(number.sockets)][number.said] = value
        return news + [
            Delivery(
                frames.values(found, read.at, self.epoch, self.seq),
                tuple(sockets),
                frozenset(found),
            )
            for sockets, found in together.items()
        ]

    def _news(self, number: Number, value: Any) -> list[Delivery]:
        """That somebody has reached something, while they have the page open."""
        if not number.known or not isinstance(value, dict) or not isinstance(number.value, dict):
            return []
        newest = value.get("newest")
        if newest is None or newest <= (number.value.get("newest") or 0):
            return []
        text = frames.achievement(number.said, newest, value["unseen"], self.epoch, self.seq)
        return [Delivery(text, tuple(number.sockets))]


def _by_language(sockets: Iterable[Socket]) -> dict[str, list[Socket]]:
    found: dict[str, list[Socket]] = defaultdict(list)
    for socket in sockets:
        found[socket.language].append(socket)
    return found
