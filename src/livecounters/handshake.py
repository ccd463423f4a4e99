"""Who opens a socket: from which page, in which language, with whose session."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils.translation import get_supported_language_variant

from livecounters.agents import agent_of
from livecounters.conf import options
from livecounters.people import key_of
from livecounters.presence import Kind, Who
from livecounters.visitors import COOKIE

__all__ = [
    "Scope",
    "address_of",
    "browser_of",
    "has_session",
    "language_of",
    "origin_allowed",
    "person_of",
    "user_of",
    "visitor_cookie_of",
]

Scope = dict[str, Any]


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


def has_session(scope: Scope) -> bool:
    """Whether it is worth to look who is signed in."""
    return "user" in scope or _session_key(scope) is not None


def person_of(user: Any, visitor: str | None) -> Who | None:
    """Who a signed-in user is to others; ``None`` for one who does not want to be seen."""
    if not options().may_be_seen(user):
        return None
    key = key_of(user)
    return Who(Kind.PERSON, key, visitor or "")


def visitor_cookie_of(scope: Scope) -> str | None:
    """The visitor's cookie, not yet verified."""
    return _cookie(scope, COOKIE)


def address_of(scope: Scope) -> str:
    """The address of the client, as the server says it; empty if it does not."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def browser_of(scope: Scope) -> str:
    """The kind of the browser; see ``agents``."""
    return agent_of(_header(scope, b"user-agent"))


def _session_key(scope: Scope) -> str | None:
    return _cookie(scope, settings.SESSION_COOKIE_NAME)


def _cookie(scope: Scope, name: str) -> str | None:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(_header(scope, b"cookie") or "")
    except CookieError:
        return None
    morsel = cookies.get(name)
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


def language_of(query: dict[str, list[str]]) -> str:
    try:
        return get_supported_language_variant(query.get("lang", [""])[0])
    except LookupError:
        return settings.LANGUAGE_CODE
