"""Preferences: what a person does not want. Everybody is asked for nothing and may say no."""

from __future__ import annotations

from collections.abc import Iterable, Set

from django.db.models import QuerySet

from livecounters.feed import database
from livecounters.models import OptOut
from livecounters.registry import registry
from livecounters.rules import Rule, judged_counters, rules

__all__ = [
    "FEED",
    "LEADERBOARD",
    "NOTICES",
    "REMINDERS",
    "REPORT",
    "choices",
    "is_muted",
    "opted_out",
    "preferences",
    "set_preference",
    "unwanted",
]

LEADERBOARD, REMINDERS, REPORT = "leaderboard", "reminders", "report"
FEED = "feed"
"""That others are told what the person has reached."""
NOTICES = "notices:"
"""Before a kind of what can be reached, or the full name of a counter: that it is shown on the
person's pages."""


def choices() -> list[str]:
    """What there is on this site that a person may not want."""
    told = any(entry.declared.achievements for entry in registry.activities)
    kinds = dict.fromkeys(rule.family for rule in rules())
    counters = [entry.full_name for entry in judged_counters()]
    return [
        LEADERBOARD,
        REMINDERS,
        REPORT,
        *([FEED] if told else []),
        *(NOTICES + kind for kind in kinds),
        # A single one is muted by its kinds.
        *(NOTICES + name for name in counters if len(counters) > 1),
    ]


def preferences(person: str) -> dict[str, bool]:
    """What a person wants, of all there is."""
    no = unwanted(person)
    return {what: what not in no for what in choices()}


def unwanted(person: str) -> set[str]:
    """What a person does not want."""
    return set(_all().filter(person=person).values_list("what", flat=True))


def is_muted(rule: Rule, no: Set[str]) -> bool:
    """Whether somebody who does not want these does not want to be shown what they reach by a
    rule."""
    return not no.isdisjoint({NOTICES + rule.family, NOTICES + rule.counter})


def set_preference(person: str, what: str, wanted: bool) -> None:
    """Say whether a person wants something. Raises ``ValueError`` for what there is not."""
    known = choices()
    if what not in known:
        raise ValueError(f"{what!r}: choose one of {', '.join(map(repr, known))}.")
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
