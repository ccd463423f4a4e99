"""Shares: a page and a card of a person's progress for everybody, for as long as they want it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet

from livecounters.attainment import Attainment, progress
from livecounters.conf import options
from livecounters.feed import database
from livecounters.models import Share
from livecounters.people import key_of, users
from livecounters.readers import Counter
from livecounters.registry import registry
from livecounters.rules import personal_counters

__all__ = ["Shared", "share", "shared", "unshare"]


@dataclass(frozen=True)
class Shared:
    """What everybody may see: the name, what it is about, and how far it has come."""

    name: str
    label: str
    progress: Attainment


def share(user: Any, name: str) -> str:
    """Say that everybody may see it; answers the token of its page. Raises ``LookupError`` for what
    is no number of a person."""
    entry = registry.counters.get(name)
    if entry not in personal_counters():
        raise LookupError(f"{name!r} is no number of a person.")
    person = key_of(user)
    _all().bulk_create([Share(person=person, counter=entry.full_name)], ignore_conflicts=True)
    return _signer().sign(f"{person}:{entry.full_name}")


def unshare(user: Any, name: str) -> None:
    """Take it back; the page is gone."""
    person = key_of(user)
    entry = registry.counters.get(name)
    _all().filter(person=person, counter=entry.full_name).delete()


def shared(token: str) -> Shared | None:
    """What a token shows; ``None`` if it is not ours, if the person has taken it back, is gone, or
    may not be seen."""
    try:
        person, _, counter = _signer().unsign(token).rpartition(":")
        entry = registry.counters.get(counter)
    except (BadSignature, LookupError):
        return None
    if not _all().filter(person=person, counter=counter).exists():
        return None
    user = next(users([person]), None)
    if user is None or not user.is_active or not options().may_be_seen(user):
        return None
    found = progress(user)[entry.full_name]
    return Shared(options().actor_name(user), Counter(entry).label, found)


def _signer() -> Signer:
    return Signer(sep="~", salt="livecounters.shares")


def _all() -> QuerySet[Share]:
    return Share._base_manager.using(database())
