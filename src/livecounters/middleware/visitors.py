"""Gives each browser a visitor's cookie, so that guests can be told apart.

It never touches the session, so no page gets a ``Vary: Cookie`` by it, and it keeps off pages that
may be cached for many: a cookie in such a page would be everybody's. A browser that has only seen
those asks for its cookie itself, before it opens a socket.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponseBase

from livecounters import sightings
from livecounters.conf import options
from livecounters.handshake import person_of
from livecounters.presence import Kind, Who
from livecounters.visitors import COOKIE, give, mint, today, visitor_of

__all__ = ["VisitorMiddleware"]

REMEMBERED = 10_000
"""So many visitors are known to have been seen in the last minute, without asking the database."""

BOTS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|fetch|preview|monitor|archiver|facebookexternalhit|^$",
    re.IGNORECASE,
)


class VisitorMiddleware:
    """Put it below Django's ``SessionMiddleware``. With ``PRESENCE["SIGHTINGS"]`` page views
    count as being active, too: for hosts without sockets."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._recent: OrderedDict[Who, float] = OrderedDict()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._acall(request)
        response: HttpResponseBase = self.get_response(request)
        who = self._see(request, response)
        if who is not None:
            sightings.seen([who], time.time())
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self.get_response(request)
        who = self._see(request, response)
        if who is not None:
            await sync_to_async(sightings.seen)([who], time.time())
        return response

    def _see(self, request: HttpRequest, response: HttpResponseBase) -> Who | None:
        """Give a cookie to who has none; answers whom to keep as seen."""
        if not _is_page(request, response) or _is_bot(request):
            return None
        visitor = visitor_of(request.COOKIES.get(COOKIE), today())
        if visitor is None and not _is_shared(request, response):
            token = mint(today())
            give(response, token, secure=request.is_secure())
            visitor = visitor_of(token, today())
        if not options().presence("SIGHTINGS"):
            return None
        who = _who(request, visitor)
        return who if who is not None and self._news(who, time.time()) else None

    def _news(self, who: Who, now: float) -> bool:
        """Whether the last minute does not know it yet."""
        if now < self._recent.get(who, float("-inf")) + sightings.EVERY:
            return False
        self._recent[who] = now
        self._recent.move_to_end(who)
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
        return True


def _is_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    kind = response.get("Content-Type", "")
    return request.method == "GET" and response.status_code == 200 and "text/html" in kind


def _is_bot(request: HttpRequest) -> bool:
    return bool(BOTS.search(request.headers.get("User-Agent", "")))


def _is_shared(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether a cache may keep this page for others."""
    words = {w.strip().lower() for w in response.get("Cache-Control", "").split(",")}
    if words & {"private", "no-store"}:
        return False
    kept = any(word.startswith(("public", "max-age", "s-maxage")) for word in words)
    # Django's cache middleware, which is outside of this one, says so on the request.
    return kept or response.has_header("Expires") or _to_be_cached(request)


def _to_be_cached(request: HttpRequest) -> bool:
    return bool(getattr(request, "_cache_update_cache", False))


def _who(request: HttpRequest, visitor: str | None) -> Who | None:
    """Who it is, as far as the page has looked itself: looking makes it vary by cookie."""
    session = getattr(request, "session", None)
    if session is not None and session.accessed:
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            return person_of(user, visitor)
    return None if visitor is None else Who(Kind.GUEST, visitor)
