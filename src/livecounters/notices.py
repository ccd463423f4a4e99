"""Notices: what an achievement is called, in the language of whoever reads it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from livecounters.badges import Badge
from livecounters.feed import iso
from livecounters.models import Achievement
from livecounters.numerals import numeral
from livecounters.readers import Counter
from livecounters.registry import Names, registry
from livecounters.rules import BADGE

__all__ = [
    "ICONS",
    "as_json",
    "great",
    "icon_of",
    "label_of",
    "text_of_achievement",
    "words_of",
]

ICONS = {
    "first": "bolt",
    "busy": "flame",
    "goal": "check",
    "total": "trophy",
    "streak": "flame",
}


def great(achievement: Achievement) -> bool:
    """Whether it is worth a celebration and not only a line."""
    if achievement.kind == BADGE:
        badge = _badge(achievement)
        return badge is not None and badge.great
    return achievement.kind in ("total", "streak")


def icon_of(achievement: Achievement) -> str:
    """The name of the picture that is shown with it."""
    badge = _badge(achievement) if achievement.kind == BADGE else None
    return badge.icon if badge else ICONS.get(achievement.kind.partition(":")[0], "star")


def text_of_achievement(achievement: Achievement) -> str:
    """One line, in the active language; plain text, to be escaped where it is shown."""
    text, label = words_of(achievement), label_of(achievement)
    return _("%(label)s: %(text)s") % {"label": label, "text": text} if label else text


def words_of(achievement: Achievement) -> str:
    """The same without the counter's label, for where that is said already."""
    if achievement.kind == BADGE:
        badge = _badge(achievement)
        return str(badge.label) if badge else achievement.counter
    number = numeral(achievement.step, 0, get_language() or "")
    said = {
        "first": lambda: _("First of the day"),
        "busy": lambda: _("A busy day: %(number)s") % {"number": number},
        "goal:day": lambda: _("Goal of the day reached"),
        "goal:week": lambda: _("Goal of the week reached"),
        "goal:month": lambda: _("Goal of the month reached"),
        "total": lambda: _("%(number)s in all") % {"number": number},
        "streak": lambda: (
            ngettext("%(number)s day in a row", "%(number)s days in a row", achievement.step)
            % {"number": number}
        ),
    }.get(achievement.kind)
    return said() if said is not None else achievement.kind


def label_of(achievement: Achievement) -> str:
    """What the counter is called that it was reached by; empty for a badge."""
    try:
        return Counter(registry.counters.get(achievement.counter)).label
    except LookupError:
        # Declared no more; what was reached stays.
        return ""


def as_json(achievement: Achievement) -> dict[str, Any]:
    """As the API and the pages have it."""
    return {
        "id": achievement.pk,
        "counter": _name(achievement),
        "kind": achievement.kind,
        "step": achievement.step or None,
        "period": achievement.period or None,
        "text": text_of_achievement(achievement),
        "icon": icon_of(achievement),
        "great": great(achievement),
        "at": iso(achievement.at),
        "seen": achievement.seen_at is not None,
        "read": achievement.read_at is not None,
    }


def _name(achievement: Achievement) -> str:
    names: Names[Any] = registry.badges if achievement.kind == BADGE else registry.counters
    try:
        return names.shortest(names.get(achievement.counter))
    except LookupError:
        return str(achievement.counter)


def _badge(achievement: Achievement) -> Badge | None:
    try:
        return registry.badges.get(achievement.counter).declared
    except LookupError:
        # Declared no more; what was reached stays.
        return None
