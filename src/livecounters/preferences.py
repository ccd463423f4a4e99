"""Preferences: what a person does not want. Everybody is asked for nothing and may say no."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from livecounters.feed import database
from livecounters.models import OptOut

__all__ = [
    "CHOICES",
    "LEADERBOARD",
    "REMINDERS",
    "REPORT",
    "opted_out",
    "preferences",
    "set_preference",
]

LEADERBOARD, REMINDERS, REPORT = "leaderboard", "reminders", "report"
CHOICES = (LEADERBOARD, REMINDERS, REPORT)


def preferences(person: str) -> dict[str, bool]:
    """What a person wants, of all there is."""
    no = set(_all().filter(person=person).values_list("what", flat=True))
    return {what: what not in no for what in CHOICES}


def set_preference(person: str, what: str, wanted: bool) -> None:
    """Say whether a person wants something. Raises ``ValueError`` for what there is not."""
    if what not in CHOICES:
        raise ValueError(f"{what!r}: choose one of {', '.join(map(repr, CHOICES))}.")
    if wanted:
        _all().filter(person=person, what=what).delete()
    else:
        _all().bulk_create([OptOut(person=person, what=what)], ignore_conflicts=True)


def opted_out(what: str, among: Iterable[str] | None = None) -> set[str]:
    """The people who do not want something; only of those ``among`` which are asked for."""
    found = _all().filter(what=what)
    if among is not None:
        found = found.filter(person__in=list(among))
    return set(found.values_list("person", flat=True))


def _all() -> QuerySet[OptOut]:
    return OptOut._base_manager.using(database())
