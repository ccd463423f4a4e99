"""Audiences: who may see what an activity tells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser

from livecounters.models import ActivityEvent
from livecounters.people import key_of, users
from livecounters.registry import ActivityEntry, registry
from livecounters.targets import found

__all__ = ["Viewer", "judged", "may_see", "seen"]


class Viewer:
    """Whoever looks at a feed of which a function decides what of it they may see."""

    def __init__(self, user: Any) -> None:
        self.user = user if user is not None and user.is_active else AnonymousUser()

    @property
    def key(self) -> str:
        """Tells viewers apart; of nobody signed in ""."""
        return key_of(self.user) if self.user.is_authenticated else ""

    @classmethod
    def of(cls, keys: Collection[str]) -> dict[str, Viewer]:
        """Viewers by their keys, as they are now, in one query; who is gone is nobody."""
        there = [user for user in users(filter(None, keys)) if user.is_active]
        known = {viewer.key: viewer for viewer in map(cls, there)}
        return {key: known.get(key) or cls(None) for key in keys}


def may_see(entry: ActivityEntry, user: Callable[[], Any], shown: bool) -> bool:
    """Whether a viewer may see what an activity tells, or some of it: where a function decides,
    it is asked about each event. ``shown`` says that a template shows it to them."""
    declared = entry.declared
    if declared.public or (declared.audience is None and shown) or callable(declared.audience):
        return True
    asking = user()
    if asking is None or not asking.is_authenticated or not asking.is_active:
        return False
    return declared.audience == "authenticated" or asking.is_staff


def judged(entries: Iterable[ActivityEntry]) -> bool:
    """Whether a function decides about events of any of these."""
    return any(callable(entry.declared.audience) for entry in entries)


def seen(rows: Iterable[ActivityEvent], viewers: Iterable[Viewer]) -> Mapping[Viewer, set[int]]:
    """The ids of the events that each viewer may see."""
    asked, free = [], set()
    for row in rows:
        audience = _audience(row.kind)
        if audience is None:
            free.add(row.pk)
        else:
            asked.append((row, audience))
    targets = found(row for row, _ in asked)
    return {
        viewer: free
        | {row.pk for row, audience in asked if audience(viewer.user, targets.get(row.pk))}
        for viewer in viewers
    }


def _audience(kind: str) -> Callable[[Any, Any], bool] | None:
    try:
        audience = registry.activities.get(kind).declared.audience
    except LookupError:
        return None
    return audience if callable(audience) else None
