"""Visitors: browsers told apart by a signed cookie, so that a guest with three tabs is one guest.

The cookie holds a random id and nothing else; no address and nothing of the browser is kept.
"""

from __future__ import annotations

import datetime as dt
import secrets

from django.core.signing import BadSignature, Signer
from django.http import HttpResponseBase
from django.utils import timezone

from livecounters.conf import options

__all__ = ["COOKIE", "LIFETIME", "give", "mint", "today", "visitor_of"]

COOKIE = "livecounters_visitor"
LIFETIME = dt.timedelta(days=365)
MAX_LENGTH = 200


def _signer() -> Signer:
    return Signer(sep=":", salt="livecounters.visitors")


def today() -> dt.date | None:
    """The day that cookies are good for, on a site where guests are new each day."""
    return timezone.localdate() if options().presence("ROTATE") else None


def mint(day: dt.date | None = None) -> str:
    """A new visitor's cookie: for good, or good for one ``day`` only."""
    until = day.isoformat() if day is not None else ""
    return _signer().sign(f"{secrets.token_urlsafe(12)}.{until}")


def give(response: HttpResponseBase, token: str, *, secure: bool) -> None:
    """Put the cookie into a response. Scripts cannot read it; it does not go to other sites."""
    rotate = today() is not None
    age = dt.timedelta(days=1) if rotate else LIFETIME
    response.set_cookie(COOKIE, token, max_age=age, secure=secure, httponly=True, samesite="Lax")


def visitor_of(cookie: str | None, day: dt.date | None = None) -> str | None:
    """The id in a cookie that was not tampered with; ``None`` for any other, and, where cookies
    are good for one ``day``, for another day's."""
    if not cookie or len(cookie) > MAX_LENGTH:
        return None
    try:
        visitor, _, until = _signer().unsign(cookie).partition(".")
    except BadSignature:
        return None
    if day is not None and until != day.isoformat():
        return None
    return visitor
