"""The relay: one per process, it carries what the hub decides.

It hears announcements over the channel layer (one subscription per process), reads what is due
in one go, and writes frames to sockets. Every few seconds it reads everything that is followed
again, so that a lost announcement heals and windows move without a write. It also runs the
embedded pump.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from channels.layers import get_channel_layer
from django.utils import timezone

from livecounters import feed, frames, leases
from livecounters.announce import GROUP, WATCHED, Announcement, read_message
from livecounters.conf import options
from livecounters.frames import Close
from livecounters.hub import Delivery, Hub, Socket
from livecounters.judges import PROGRESS
from livecounters.keeper import Keeper
from livecounters.limits import Crowd, is_public, reached
from livecounters.lookout import VIEWERS
from livecounters.meters import ACTIVE, ONLINE, presence_declared
from livecounters.outbox import Outbox
from livecounters.presence import Who
from livecounters.pump import Pump, drive
from livecounters.readings import Reading
from livecounters.readout import read_out
from livecounters.reporter import reporter
from livecounters.telemetry import tally
from livecounters.topics import FeedTopic, Topic, said
from livecounters.worker import close_all, work

__all__ = ["Relay", "current"]

logger = logging.getLogger("livecounters")

RESYNC = 5.0
"""Seconds after which everything that is followed is read again."""
VIEWERS_EVERY = 10.0
"""Seconds between renewals of the lease that tells pumps elsewhere of viewers here."""
RENEW_GROUP = 600.0
"""Seconds between renewals of the group membership, at the most."""
STEADY = {PROGRESS: 60.0}
"""Seconds after which what is dear to read is read again; its days change by the minute at most."""
RETRY = 1.0
CANCELLED = 1.0
"""Seconds after which listening that was cancelled and goes on is cancelled again."""
CUT = 3.0
"""A connection to the channel layer that ends later than this has worked."""
INTERVALS = {ONLINE: 1.0, ACTIVE: 1.0}
"""The least seconds between two frames of who is here, however many come and go."""

T = TypeVar("T")


class Relay:
    """Sockets, hub, channel layer, database and pump of one process (of one event loop)."""

    def __init__(self) -> None:
        self.name = secrets.token_hex(8)
        self.hub = Hub(1 / options().FRAMES_PER_SECOND)
        self.topics: dict[str, Topic] = {}
        self.sockets: dict[Outbox, str] = {}
        self.keeper = Keeper(self.name, self._presence_changed)
        self._addresses, self._sockets_of = Crowd(), Crowd()
        self._users: dict[Outbox, str] = {}
        self._wake = asyncio.Event()
        self._watched = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, "livecounters-relay")
        self._pump_thread = ThreadPoolExecutor(1, "livecounters-pump")
        self._tasks: list[asyncio.Task[None]] = []
        self._listening: asyncio.Task[None] | None = None

    # Life

    def start(self) -> None:
        """Begin to work; harmless when it has begun."""
        if self._tasks:
            return
        jobs: list[Coroutine[Any, Any, None]] = [self._work()]
        if presence_declared():
            jobs += [self.keeper.work(), self._pulse()]
        if get_channel_layer() is not None:
            self._listening = asyncio.create_task(self._listen())
        if options().EMBEDDED_PUMP:
            jobs.append(
                drive(
                    Pump(),
                    self.announce,
                    self._pump_thread,
                    lambda: bool(self.sockets),
                    self._watched,
                )
            )
        self._tasks = [asyncio.create_task(job) for job in jobs]

    async def stop(self) -> None:
        """End all work and give the leases back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._listening is not None and not self._listening.done():
            # Again and again: a layer may take a cancellation for an error of its own.
            self._listening.cancel()
            await asyncio.wait({self._listening}, timeout=CANCELLED)
        self._listening = None
        self._tasks = []
        with suppress(Exception):
            await self.in_thread(self._unwatch)
        await self.keeper.close()
        self._threads.shutdown(wait=False)
        self._pump_thread.shutdown(wait=False)

    async def in_thread(self, job: Callable[[], T]) -> T:
        """Run database work in the relay's one thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, job)

    # Sockets

    def join(self, socket: Outbox, address: str = "") -> None:
        self.start()
        if not self.sockets:
            self._watched.set()
        self.sockets[socket] = address
        tally.add("sockets")
        self._addresses.add(address)
        self._wake.set()

    def leave(self, socket: Outbox, names: Iterable[str]) -> None:
        if socket in self.sockets:
            tally.add("sockets", -1)
        self._addresses.remove(self.sockets.pop(socket, ""))
        user = self._users.pop(socket, None)
        if user is not None:
            self._sockets_of.remove(user)
        self.unfollow(socket, names)

    def crowded(self, address: str) -> bool:
        """Whether there are as many sockets of an address as may be."""
        most = options().limit("sockets_per_address")
        counted = "sockets_per_address" in options().LIMITS or is_public(address)
        return counted and reached(self._addresses[address], most)

    def too_many_of(self, who: Who, socket: Outbox) -> bool:
        """Note whose socket it is; answers whether that is one too many."""
        if not who.is_person or socket not in self.sockets or socket in self._users:
            return False
        self._users[socket] = who.key
        others = self._sockets_of[who.key]
        self._sockets_of.add(who.key)
        return reached(others, options().limit("sockets_per_user"))

    def follow(
        self, socket: Outbox, topics: Sequence[Topic], epoch: str | None, seq: int | None
    ) -> None:
        """Follow topics from a place; what is known is written at once, the rest when read."""
        known = []
        for topic in topics:
            name = str(topic)
            self.topics[name] = topic
            if isinstance(topic, FeedTopic):
                _deliver(self.hub.follow_feed(socket, name, epoch, seq, said(topic)))
                continue
            source, scope = topic.origin
            if isinstance(topic, Reading):
                interval, steady = topic.interval, topic.steady
            else:
                interval, steady = INTERVALS.get(source, 0.0), STEADY.get(source, 0.0)
            if self.hub.follow_number(socket, name, source, scope, interval, steady, said(topic)):
                known.append(name)
        if known:
            socket.write(self.hub.known_values(known))
        self._wake.set()

    def unfollow(self, socket: Socket, names: Iterable[str]) -> None:
        gone = list(names)
        self.hub.unfollow(socket, gone)
        for name in gone:
            if name not in self.hub.numbers and name not in self.hub.feeds:
                self.topics.pop(name, None)

    # Announcements

    async def announce(self, announcement: Announcement) -> None:
        """Tell every process; without a channel layer there is only this one."""
        layer = get_channel_layer()
        if layer is None:
            self.hear(announcement)
            return
        try:
            await layer.group_send(GROUP, announcement.message())
        except Exception as error:
            # Whoever missed it reads again within RESYNC seconds.
            logger.debug("livecounters: the channel layer took no announcement: %r", error)
            self.hear(announcement)

    async def _presence_changed(self, rooms: set[str]) -> None:
        hub = self.hub
        await self.announce(Announcement(hub.epoch, hub.seq, {ONLINE: rooms, ACTIVE: None}))

    def hear(self, announcement: Announcement) -> None:
        """Note what changed and wake up."""
        self.hub.touch(announcement.numbers, announcement.epoch, announcement.seq)
        self._wake.set()

    async def _listen(self) -> None:
        layer = get_channel_layer()
        assert layer is not None
        # One for the life of this process: a layer remembers each for a while, and whoever
        # announces puts a message into each.
        channel = await layer.new_channel()
        failure, failed = "", float("-inf")
        while True:
            try:
                await self._hear_layer(layer, channel)
            except Exception as error:
                now, before = asyncio.get_running_loop().time(), failed
                failed = now
                # A connection that was silent may have been cut, and the next one be good.
                if now < before + CUT:
                    if repr(error) != failure:
                        failure = repr(error)
                        logger.warning(
                            "livecounters: the channel layer is not to be heard: %r", error
                        )
                    await asyncio.sleep(RETRY)
                self.hub.touch_all()
                self._wake.set()

    async def _hear_layer(self, layer: Any, channel: str) -> None:
        # A layer forgets members after a while, which a host may have made short.
        renew = min(RENEW_GROUP, getattr(layer, "group_expiry", 2 * RENEW_GROUP) / 2)
        while True:
            await layer.group_add(GROUP, channel)
            with suppress(TimeoutError):
                async with asyncio.timeout(renew):
                    while True:
                        self._heard(await layer.receive(channel))

    def _heard(self, message: dict[str, Any]) -> None:
        announcement = read_message(message)
        if announcement is not None:
            tally.add("announcements_heard")
            self.hear(announcement)
        elif message.get("type") == WATCHED["type"]:
            self._watched.set()

    async def _pulse(self) -> None:
        """Ask every page whether anybody is there, and let those go that answered once and do
        not any more. The question wakes a hidden page, whose own timers are slowed down."""
        loop = asyncio.get_running_loop()
        ttl = float(options().presence("TTL"))
        while True:
            await asyncio.sleep(ttl / 2.2)
            await _aside(lambda: self._ask(loop.time() - ttl))

    def _ask(self, long_ago: float) -> None:
        text = frames.beat(self.hub.epoch, self.hub.seq)
        for socket in list(self.sockets):
            if socket.answers and socket.heard < long_ago:
                self.keeper.drop(socket, lost=False)
                socket.close(Close.SILENT)
            else:
                socket.write(text)

    # Reading and writing

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        resync = viewers = loop.time()
        failing = False
        while True:
            await self._rest(loop.time(), resync)
            self._wake.clear()
            now = loop.time()
            if not self.sockets:
                continue
            if now >= resync:
                resync = now + RESYNC
                self.hub.touch_all(now)
            try:
                if now >= viewers:
                    viewers = now + VIEWERS_EVERY
                    await self._say_watched()
                await self._read(now)
                failing = False
            except Exception:
                # A database that is away is said once.
                if not failing:
                    logger.exception("livecounters: reading failed and is tried again.")
                failing = True
                await asyncio.sleep(RETRY)
                self.hub.touch_all()
                self._wake.set()

    async def _rest(self, now: float, resync: float) -> None:
        """Wait until something is to be done."""
        wait = self.hub.next_due(now)
        timeout = max(0.0, resync - now) if wait is None else min(wait, max(0.0, resync - now))
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout if self.sockets else None):
                await self._wake.wait()

    async def _read(self, now: float) -> None:
        due = self.hub.due(now)
        if not due and not self.hub.behind:
            return
        questions = [self.topics[name] for name in due]
        known = {name: self.topics[name] for name, f in self.hub.feeds.items() if f.known}
        unknown = {name: self.topics[name] for name in self.hub.unknown_feeds()}
        place = feed.Place(self.hub.epoch, self.hub.seq)
        moved = self.hub.moved or bool(unknown)
        read = await self.in_thread(lambda: read_out(questions, known, unknown, place, moved))
        await _aside(lambda: _deliver(self.hub.take(read)))

    async def _say_watched(self) -> None:
        await self.in_thread(self._watch)
        layer = get_channel_layer()
        if layer is not None:
            with suppress(Exception):
                await layer.group_send(GROUP, WATCHED)

    def _watch(self) -> None:
        name = VIEWERS + self.name
        now = timezone.now()
        leases.hold(name, self.name, now, 3 * VIEWERS_EVERY, feed.database())
        reporter.visit(now.timestamp())

    def _unwatch(self) -> None:
        try:
            leases.release(VIEWERS + self.name, self.name, feed.database())
            reporter.flush(timezone.now().timestamp())
        finally:
            close_all()


async def _aside(job: Callable[[], None]) -> None:
    """Write to sockets in a task of its own, which is gone before any of them can wait: whatever a
    middleware around ``send`` does to the task that it finds itself in is done to no other."""

    async def write() -> None:
        job()

    await asyncio.create_task(write())


def _deliver(deliveries: Iterable[Delivery]) -> None:
    start, written = time.perf_counter(), 0
    for text, sockets, numbers in deliveries:
        written += len(sockets)
        for socket in sockets:
            socket.write(text, numbers)
    if written:
        tally.add("frames", written)
        tally.add("fanout_seconds", time.perf_counter() - start)


_relays: dict[int, tuple[asyncio.AbstractEventLoop, Relay]] = {}


def current() -> Relay:
    """The relay of the running event loop."""
    loop = asyncio.get_running_loop()
    for key, (known, _) in list(_relays.items()):
        if known.is_closed():
            del _relays[key]
    if id(loop) not in _relays:
        _relays[id(loop)] = (loop, Relay())
    return _relays[id(loop)][1]
