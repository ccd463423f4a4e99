"""The socket: one small ASGI application per connection, written to be hard to kill.

It does not use Channels' consumer classes: their dispatch hops to a thread for every message
and dies of the first malformed frame. Frames go straight to ``send``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from django.utils import timezone

from livecounters import frames, relay
from livecounters.conf import options
from livecounters.exceptions import MalformedFrame, TopicRefused
from livecounters.feed import iso
from livecounters.frames import Close, Request
from livecounters.gauges import SITE
from livecounters.handshake import (
    Scope,
    address_of,
    browser_of,
    has_session,
    language_of,
    origin_allowed,
    person_of,
    user_of,
    visitor_cookie_of,
)
from livecounters.limits import Bucket, reached
from livecounters.meters import presence_declared
from livecounters.outbox import Outbox, Send
from livecounters.presence import Kind, Who
from livecounters.topics import OnlineTopic, Topic, granted, personal, said, shown
from livecounters.visitors import today, visitor_of

__all__ = ["LiveConsumer"]

logger = logging.getLogger("livecounters")

Receive = Callable[[], Awaitable[dict[str, Any]]]

MAX_ERRORS = 50
"""Malformed frames on one socket before it is closed."""
JUDGE_EVERY = 30.0
"""Seconds between two judgements of whether the session may still follow personal topics."""
SILENT = 10.0
"""Seconds within which a client has to say something."""
RESTART = 1012
"""What servers close sockets with when they are stopped."""
CLEAN = (1000, 1001, 1005)
"""What browsers close sockets with when a page is left."""


class LiveConsumer:
    """One connection."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        self._outbox = Outbox(send, language_of(self._query))
        self._relay = relay.current()
        self._topics: dict[str, Topic] = {}
        self._personal: dict[str, str] = {}
        self._rooms: dict[str, str] = {}
        self._errors = 0
        self._spoke = False
        self._bucket = Bucket(options().limit("frames_per_second"))
        self._arriving: asyncio.Task[None] | None = None

    @classmethod
    def as_asgi(cls) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await cls(scope, receive, send).run()

        return app

    async def run(self) -> None:
        """Serve the connection until the client leaves."""
        message = await self._receive()
        if message["type"] != "websocket.connect":
            return
        await self._send({"type": "websocket.accept"})
        refused = self._refusal()
        if refused is not None:
            await self._send({"type": "websocket.close", "code": int(refused)})
            return
        code = RESTART
        self._relay.join(self._outbox, address_of(self._scope))
        judging = asyncio.create_task(self._judge())
        hush = asyncio.get_running_loop().call_later(SILENT, self._hush)
        try:
            while (message := await self._receive())["type"] != "websocket.disconnect":
                await self._handle(message.get("text"))
            code = message.get("code") or 1005
        finally:
            judging.cancel()
            hush.cancel()
            if self._arriving is not None:
                self._arriving.cancel()
            self._leave(code)
            self._outbox.abandon()

    def _leave(self, code: int) -> None:
        self._relay.leave(self._outbox, self._topics)
        # When the server stops nobody leaves: they come back to another process or to the next
        # one, and until then its lease keeps them.
        if self._spoke and code != RESTART:
            self._relay.keeper.drop(self._outbox, lost=code not in CLEAN)

    def _refusal(self) -> Close | None:
        if not origin_allowed(self._scope, options().ALLOWED_ORIGINS):
            return Close.FORBIDDEN
        if self._query.get("v", [str(frames.VERSION)]) != [str(frames.VERSION)]:
            return Close.UPGRADE
        if self._relay.crowded(address_of(self._scope)):
            return Close.TOO_MANY
        return None

    async def _handle(self, text: str | None) -> None:
        now = asyncio.get_running_loop().time()
        self._outbox.heard = now
        if not self._bucket.take(now):
            self._outbox.close(Close.TOO_MANY)
            return
        try:
            request = frames.parse(text)
        except MalformedFrame as error:
            self._complain(error.code)
            self._errors += 1
            if self._errors > MAX_ERRORS:
                self._outbox.close(Close.PROTOCOL)
            return
        if not self._spoke:
            self._arrive()
        hub = self._relay.hub
        if request.op == "ping":
            self._outbox.write(frames.pong(iso(timezone.now()), hub.epoch, hub.seq))
        elif request.op == "unsubscribe":
            self._unsubscribe(shown(name) for name in request.topics)
        elif request.op == "presence":
            await self._present(request)
        else:
            await self._subscribe(request)

    def _complain(self, code: str, topic: str | None = None) -> None:
        hub = self._relay.hub
        self._outbox.write(frames.error(code, hub.epoch, hub.seq, topic))

    # Topics

    async def _subscribe(self, request: Request) -> None:
        new: list[Topic] = []
        for name in request.topics:
            if reached(len(self._topics), options().limit("topics")):
                self._complain("too_many_topics", shown(name))
                return
            try:
                topic = await self._granted(name)
            except TopicRefused:
                self._complain("unavailable", shown(name))
                continue
            self._topics[str(topic)] = topic
            if personal(topic):
                self._personal[str(topic)] = name
            new.append(topic)
        if new:
            self._relay.follow(self._outbox, new, request.epoch, request.seq)

    async def _granted(self, name: str) -> Topic:
        """Most topics need nobody's name; only for the others the session is looked up."""
        try:
            return granted(name, _ask)
        except _AskWho:
            return await self._relay.in_thread(lambda: granted(name, self._user))

    def _user(self) -> Any:
        return user_of(self._scope)

    def _unsubscribe(self, names: Iterable[str]) -> None:
        # Somebody's own topic has another name here than on the page.
        own = {said(topic): name for name, topic in self._topics.items()}
        wanted = [own.get(name, name) for name in names]
        gone = [name for name in wanted if self._topics.pop(name, None) is not None]
        for name in gone:
            self._personal.pop(name, None)
        self._relay.unfollow(self._outbox, gone)

    # Presence

    def _arrive(self) -> None:
        """The first frame that can be read: somebody is there who runs our script."""
        self._spoke = True
        if not presence_declared():
            return
        self._relay.keeper.enter(self._outbox, SITE)
        if has_session(self._scope):
            self._arriving = asyncio.create_task(self._look_who())
        else:
            self._identify(self._guest(visitor_cookie_of(self._scope)))

    async def _look_who(self) -> None:
        try:
            who, signed_in = await self._relay.in_thread(self._who)
        except Exception:
            logger.exception("livecounters: it could not be seen who is at a socket.")
            return
        if signed_in or who is not None:
            self._identify(who, ask=False)
            if who is not None and self._relay.too_many_of(who, self._outbox):
                self._outbox.close(Close.TOO_MANY)
        else:
            self._identify(None)

    def _who(self) -> tuple[Who | None, bool]:
        """Who it is, and whether it is somebody signed in; in a thread."""
        cookie = visitor_cookie_of(self._scope)
        user = self._user()
        if user is None or not user.is_authenticated or not user.is_active:
            return self._guest(cookie), False
        return person_of(user, visitor_of(cookie, today())), True

    def _guest(self, cookie: str | None) -> Who | None:
        visitor = visitor_of(cookie, today())
        return None if visitor is None else Who(Kind.GUEST, visitor)

    def _identify(self, who: Who | None, ask: bool = True) -> None:
        if who is not None:
            self._relay.keeper.identify(self._outbox, who, browser_of(self._scope))
        elif ask:
            hub = self._relay.hub
            self._outbox.write(frames.visitor(hub.epoch, hub.seq))

    async def _present(self, request: Request) -> None:
        """Somebody is there, or comes into a room, or leaves it."""
        if not presence_declared():
            return
        keeper = self._relay.keeper
        self._outbox.answers = True
        if request.tabs is not None or request.away is not None:
            keeper.describe(self._outbox, request.tabs, request.away)
        if request.visitor is not None:
            guest = self._guest(request.visitor)
            if guest is not None:
                keeper.identify(self._outbox, guest)
        if request.room is None:
            return
        asked = request.room if request.room.startswith("online:") else f"online:{request.room}"
        name = shown(asked)
        if not request.here:
            self._go_out(name)
        elif reached(len(self._rooms), options().limit("topics")):
            self._complain("too_many_topics", name)
        else:
            await self._come_in(asked, name)

    async def _come_in(self, asked: str, name: str) -> None:
        topic: Topic | None
        try:
            topic = await self._granted(asked)
        except TopicRefused:
            topic = None
        if not isinstance(topic, OnlineTopic):
            self._complain("unavailable", name)
            return
        self._rooms[name] = topic.room
        if personal(topic):
            self._personal[name] = asked
        self._relay.keeper.enter(self._outbox, topic.room)

    def _go_out(self, name: str) -> None:
        room = self._rooms.pop(name, None)
        # Another name may mean the same room.
        if room is not None and room not in self._rooms.values() and room != SITE:
            self._relay.keeper.leave(self._outbox, room)

    # Judging

    def _hush(self) -> None:
        if not self._spoke:
            self._outbox.close(Close.SILENT)

    async def _judge(self) -> None:
        """Take personal topics and rooms away from a session that has lost them."""
        while True:
            await asyncio.sleep(JUDGE_EVERY)
            for name, asked in list(self._personal.items()):
                try:
                    if str(await self._granted(asked)) != name:
                        # It is another's now who is signed in.
                        raise TopicRefused(name)
                except TopicRefused:
                    self._unsubscribe([name])
                    self._go_out(name)
                    self._complain("unavailable", shown(asked))
                except Exception:
                    logger.exception("livecounters: a session could not be judged.")


class _AskWho(Exception):
    """It matters who asks."""


def _ask() -> Any:
    raise _AskWho
