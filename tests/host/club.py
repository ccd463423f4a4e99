"""What happens in a club: activities for the tests of the feed, declared by whoever wants them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone
from django.utils.translation import ngettext_lazy

import livecounters as live
from livecounters.models import ActivityEvent
from livecounters.registry import registry
from livecounters.selection import party_of

from .models import Course, Quiz

NOON = timezone.make_aware(dt.datetime(2026, 11, 18, 12))  # noqa: DTZ001


def may_see(user: Any, target: Any) -> bool:
    return target is not None and (target.published or user.is_staff)


class ClubLive(live.LiveSite):
    finished = live.Activity(
        "{actor} finished {target}",
        target=Quiz,
        public=True,
        group=live.Group(
            ngettext_lazy(
                "{actor} and {others} other finished {target}",
                "{actor} and {others} others finished {target}",
                "others",
            )
        ),
    )
    practised = live.Activity(
        "{actor} practised {target}",
        target=Quiz,
        public=True,
        group=live.Group("{actor} practised {count} times", by="actor", within=dt.timedelta(1)),
    )
    visited = live.Activity("{actor} visited {target}", target=Course, public=True, link=True)
    joined = live.Activity("{actor} joined", audience="authenticated")
    warned = live.Activity("{actor} was warned", audience="staff")
    watched = live.Activity("{actor} watched {target}", target=Quiz, audience=may_see)


@contextmanager
def declared() -> Iterator[None]:
    live.register(ClubLive)
    yield
    registry.remove(ClubLive)


def happen(kind: str, *actors: Any, of: Any = None, at: dt.datetime = NOON, **given: Any) -> None:
    """An event of each of these actors (None: nobody known)."""
    if of is not None:
        model, key = party_of(of)
        given = {"target_model": model, "target": key, "target_label": str(of)} | given
    events = []
    for actor in actors or (None,):
        who = {}
        if actor is not None:
            model, key = party_of(actor)
            who = {"actor_model": model, "actor": key}
        events.append(ActivityEvent(kind=f"host.{kind}", at=at, **who, **given))
    ActivityEvent.objects.bulk_create(events)
