"""The socket: one small ASGI application per connection, written to be hard to kill.

It does not use Channels' consumer classes: their dispatch hops to a thread for every message
and dies of the first malformed frame. Frames go straight to ``send``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_supported_language_variant

from livecounters import frames, relay
from livecounters.conf import options
from livecounters.exceptions import MalformedFrame, TopicRefused
from livecounters.feed import iso
from livecounters.frames import Close, Request
from livecounters.topics import Topic, granted, personal, shown

__all__ = ["LiveConsumer", "Outbox", "origin_allowed"]

logger = logging.getLogger("livecounters")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_PENDING = 256
"""Frames that may wait for a client that does not read; then it is closed as too slow."""
MAX_FOLLOWED = 1000
"""Topics on one socket."""
MAX_ERRORS = 50
"""Malformed frames on one socket before it is closed."""
JUDGE_EVERY = 30.0
"""Seconds between two judgements of whether the session may still follow personal topics."""


class Outbox:
    """The frames on their way to one client; in order, bounded, and never in the hub's way."""

    def __init__(self, send: Send, language: str) -> None:
        self.language = language
        self._send = send
        self._frames: deque[dict[str, Any]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def write(self, text: str) -> None:
        """Send a frame; one that cannot be sent any more is dropped."""
        self._put({"type": "websocket.send", "text": text})
        if len(self._frames) > MAX_PENDING:
            self._frames.clear()
            self.close(Close.SLOW)

    def close(self, code: Close) -> None:
        self._put({"type": "websocket.close", "code": int(code)})
        self._closed = True

    def _put(self, message: dict[str, Any]) -> None:
        if self._closed:
            return
        self._frames.append(message)
        if self._task is None:
            self._task = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._frames:
                await self._send(self._frames.popleft())
        except Exception:
            # Servers say in different ways that the client is gone; its receive() will tell.
            self._closed = True
            self._frames.clear()
        finally:
            self._task = None

    def abandon(self) -> None:
        """The client is gone: drop what was meant for it."""
        self._closed = True
        self._frames.clear()
        if self._task is not None:
            self._task.cancel()


class LiveConsumer:
    """One connection."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        self._outbox = Outbox(send, _language(self._query))
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
        self._errors += 1
        if self._errors > MAX_ERRORS:
            self._outbox.close(Close.PROTOCOL)

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


def user_of(scope: Scope) -> Any:
    """The user of a connection's session as it is in the database now.

    A host that authenticates sockets otherwise puts a ``user`` into the scope.
    """
    if "user" in scope and "session" not in scope:
        return scope["user"]
    request = HttpRequest()
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(_session_key(scope))
    return get_user(request)


def _session_key(scope: Scope) -> str | None:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(_header(scope, b"cookie") or "")
    except CookieError:
        return None
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else None


def _header(scope: Scope, name: bytes) -> str | None:
    found = [value for key, value in scope.get("headers", []) if key == name]
    return str(found[-1].decode("latin-1")) if found else None


def origin_allowed(scope: Scope, allowed: list[str] | None) -> bool:
    """Whether the page that opens the socket may.

    By default its host and port must be those that the socket was asked for. Programs that are
    no browsers send no origin and carry nobody's cookies by accident; they may.
    """
    origin = _header(scope, b"origin")
    if origin is None:
        return True
    if allowed is not None:
        return origin in allowed
    return urlsplit(origin).netloc.lower() == (_header(scope, b"host") or "").lower() != ""


def _language(query: dict[str, list[str]]) -> str:
    try:
        return get_supported_language_variant(query.get("lang", [""])[0])
    except LookupError:
        return settings.LANGUAGE_CODE
