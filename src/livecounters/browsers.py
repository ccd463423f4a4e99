"""Browsers: what somebody is here with, for that person and for staff. Nobody else is told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from livecounters.agents import kind_of
from livecounters.conf import site_zone
from livecounters.people import key_of
from livecounters.presence import store

__all__ = ["Device", "devices"]


@dataclass(frozen=True)
class Device:
    """A browser that somebody is here with.

    ``kind``
        As coarse as "Firefox on Linux", in the current language.
    ``since``
        Since when; a page that is reloaded, or followed by the next one, was never away.
    ``away``
        Whether nobody looks at any of its pages.
    ``pages``
        How many are open.
    ``rooms``
        The rooms that it is in; ``"site"`` is the one everybody is in.
    """

    kind: str
    since: dt.datetime
    away: bool
    pages: int
    rooms: tuple[str, ...]


def devices(user: Any, *, at: dt.datetime | None = None) -> list[Device]:
    """The browsers that a user (or the key of one) is here with now, which came first first; of
    all processes, in one question to the presence store.

    They are told apart by the visitor's cookie and by their kind. Nothing of it is kept longer
    than the presence itself. Who may not be seen (``MAY_BE_SEEN``) has none.
    """
    now = at if at is not None else dt.datetime.now(dt.UTC)
    return [
        Device(
            kind_of(one.agent),
            dt.datetime.fromtimestamp(one.since, site_zone()),
            one.away,
            one.pages,
            tuple(one.rooms),
        )
        for one in store().devices(key_of(user), now.timestamp())
    ]
