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
from livecounters.handshake import Scope, language_of, origin_allowed, user_of
from livecounters.outbox import Outbox, Send
from livecounters.topics import Topic, granted, personal, shown

__all__ = ["LiveConsumer"]

logger = logging.getLogger("livecounters")

Receive = Callable[[], Awaitable[dict[str, Any]]]

MAX_FOLLOWED = 1000
"""Topics on one socket."""
MAX_ERRORS = 50
"""Malformed frames on one socket before it is closed."""
JUDGE_EVERY = 30.0
"""Seconds between two judgements of whether the session may still follow personal topics."""


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
        self._errors = 0

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
        self._relay.join(self._outbox)
        judging = asyncio.create_task(self._judge())
        try:
            while (message := await self._receive())["type"] != "websocket.disconnect":
                await self._handle(message.get("text"))
        finally:
            judging.cancel()
            self._relay.leave(self._outbox, self._topics)
            self._outbox.abandon()

    def _refusal(self) -> Close | None:
        if not origin_allowed(self._scope, options().ALLOWED_ORIGINS):
            return Close.FORBIDDEN
        if self._query.get("v", [str(frames.VERSION)]) != [str(frames.VERSION)]:
            return Close.UPGRADE
        return None

    async def _handle(self, text: str | None) -> None:
        try:
            request = frames.parse(text)
        except MalformedFrame as error:
            self._complain(error.code)
            self._errors += 1
            if self._errors > MAX_ERRORS:
                self._outbox.close(Close.PROTOCOL)
            return
        hub = self._relay.hub
        if request.op == "ping":
            self._outbox.write(frames.pong(iso(timezone.now()), hub.epoch, hub.seq))
        elif request.op == "unsubscribe":
            self._unsubscribe(shown(name) for name in request.topics)
        else:
            await self._subscribe(request)

    def _complain(self, code: str, topic: str | None = None) -> None:
        hub = self._relay.hub
        self._outbox.write(frames.error(code, hub.epoch, hub.seq, topic))

    # Topics

    async def _subscribe(self, request: Request) -> None:
        new: list[Topic] = []
        for name in request.topics:
            if len(self._topics) >= MAX_FOLLOWED:
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
        gone = [name for name in names if self._topics.pop(name, None) is not None]
        for name in gone:
            self._personal.pop(name, None)
        self._relay.unfollow(self._outbox, gone)

    async def _judge(self) -> None:
        """Take personal topics away from a session that has lost them."""
        while True:
            await asyncio.sleep(JUDGE_EVERY)
            for name, asked in list(self._personal.items()):
                try:
                    await self._granted(asked)
                except TopicRefused:
                    self._unsubscribe([name])
                    self._complain("unavailable", name)
                except Exception:
                    logger.exception("livecounters: a session could not be judged.")


class _AskWho(Exception):
    """It matters who asks."""


def _ask() -> Any:
    raise _AskWho
