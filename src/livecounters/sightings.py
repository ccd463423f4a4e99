"""Sightings: when somebody was here last. What "active lately" and "last seen" are read from.

Somebody who stays is written once a minute at most. Who turns to online or offline is decided by
one statement of the database, so that of all processes that notice one says it.
"""

from __future__ import annotations

import datetime as dt
import logging
import operator
import secrets
from collections.abc import Iterable, Sequence
from functools import reduce

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.dispatch import Signal

from livecounters.feed import database
from livecounters.models import Sighting
from livecounters.presence.base import Kind, Who
from livecounters.signals import went_offline, went_online

__all__ = ["EVERY", "active", "arrived", "forget", "last_seen", "lost", "online", "seen", "went"]

logger = logging.getLogger("livecounters")

EVERY = 60.0
"""Seconds between two sightings of somebody who stays."""
PORTION = 500


def arrived(whos: Iterable[Who], now: float) -> None:
    """They are here now: seen, and online from here on if they were not."""
    found = sorted(set(whos), key=_key)
    seen(found, now)
    people = [who.key for who in found if who.kind is Kind.PERSON]
    turned = _turn(people, Q(online_since=None), online_since=now)
    for key, _ in turned:
        _say(went_online, key, now)


def went(people: Iterable[str], now: float) -> None:
    """These people are nowhere any more."""
    for key, since in _turn(sorted(set(people)), Q(online_since__isnull=False)):
        duration = dt.timedelta(seconds=max(0.0, now - (since or now)))
        _say(went_offline, key, now, duration=duration)


def seen(whos: Iterable[Who], now: float) -> None:
    """They are here at this moment."""
    found = sorted(set(whos), key=_key)
    for n in range(0, len(found), PORTION):
        portion = found[n : n + PORTION]
        # Who came with another browser is written by itself; that is seldom.
        known = {
            (kind, key): visitor
            for kind, key, visitor in _all()
            .filter(_any(portion))
            .values_list("kind", "member", "visitor")
        }
        new = [who for who in portion if (who.kind.value, who.key) not in known]
        _all().bulk_create(
            (
                Sighting(kind=who.kind.value, member=who.key, visitor=who.browser, seen_at=now)
                for who in new
            ),
            ignore_conflicts=True,
        )
        # Who comes and goes all the time is written no oftener than who stays.
        _all().filter(_any(portion), seen_at__lte=now - EVERY).update(seen_at=now)
        for who in portion:
            before = known.get((who.kind.value, who.key))
            if before is not None and who.browser not in ("", before):
                _all().filter(_any([who])).update(visitor=who.browser)


def active(since: float) -> int:
    """How many people and guests were here at that moment or later. A guest whose browser
    somebody has signed in with is that person."""
    recent = _all().filter(seen_at__gte=since)
    claimed = _all().filter(kind=Kind.PERSON, seen_at__gte=since, visitor=OuterRef("member"))
    return recent.exclude(Q(kind=Kind.GUEST) & Exists(claimed)).count()


def online() -> dict[str, float]:
    """The people who are held to be online, and when they were seen last."""
    people = _all().filter(kind=Kind.PERSON, online_since__isnull=False)
    return dict(people.values_list("member", "seen_at"))


def lost(since: float) -> int:
    """Forget who was not here since that moment; answers how many. Of people the last sighting
    is kept."""
    number, _ = _all().filter(kind=Kind.GUEST, seen_at__lt=since).delete()
    return number


def forget(person: str) -> None:
    """Forget when a person was here."""
    _all().filter(kind=Kind.PERSON, member=person).delete()


def last_seen(person: str) -> dt.datetime | None:
    """When a person was here last, up to a minute earlier if they are here now."""
    stamp = _all().filter(kind=Kind.PERSON, member=person).values_list("seen_at", flat=True).first()
    return None if stamp is None else dt.datetime.fromtimestamp(stamp, dt.UTC)


def _turn(people: Sequence[str], before: Q, **after: float) -> list[tuple[str, float | None]]:
    """Turn those who are as ``before`` to ``after``, or else to offline; answers whom this call
    has turned, and since when they were online.

    Of several that turn somebody at once the last one finds its own mark.
    """
    turn = secrets.token_hex(8)
    turned: list[tuple[str, float | None]] = []
    for n in range(0, len(people), PORTION):
        some = _all().filter(before, kind=Kind.PERSON, member__in=people[n : n + PORTION])
        if some.update(turn=turn, **after):
            turned += _all().filter(turn=turn).values_list("member", "online_since")
            # The moment they came is still there to be read until here.
            _all().filter(turn=turn).update(turn="", **({} if after else {"online_since": None}))
    return turned


def _say(signal: Signal, key: str, now: float, **more: object) -> None:
    at = dt.datetime.fromtimestamp(now, dt.UTC)
    for _, answer in signal.send_robust(get_user_model(), user_id=key, at=at, **more):
        if isinstance(answer, Exception):
            logger.error("livecounters: a receiver of presence failed.", exc_info=answer)


def _all() -> QuerySet[Sighting]:
    return Sighting._base_manager.using(database())


def _any(whos: Iterable[Who]) -> Q:
    kinds: dict[str, list[str]] = {}
    for who in whos:
        kinds.setdefault(who.kind.value, []).append(who.key)
    either = (Q(kind=kind, member__in=members) for kind, members in kinds.items())
    return reduce(operator.or_, either)


def _key(who: Who) -> tuple[str, str]:
    return who.kind.value, who.key
