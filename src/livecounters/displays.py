"""Displays: what templates are given, in the words and digits of the page's language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from livecounters import awards, notices
from livecounters.attainment import Attainment, GoalProgress, progress
from livecounters.declarations import Avg
from livecounters.frames import plain
from livecounters.gauges import Gauge
from livecounters.meters import Meter
from livecounters.models import Achievement
from livecounters.numbers import Reader, error_of
from livecounters.numerals import numeral, percent_sign
from livecounters.people import key_of
from livecounters.readers import Counter, Number
from livecounters.registry import CounterEntry, registry
from livecounters.rules import judged_counters

__all__ = [
    "NOTHING",
    "counter_text",
    "decimals_of",
    "doubt_of",
    "doubts_of",
    "level_of",
    "number_text",
    "piece",
    "progress_cards",
    "unit_of",
]

NOTHING = "\N{EN DASH}"
ABOUT = "\N{ALMOST EQUAL TO}"

# Kinds of achievements that are kept for good, the others being of a day or so.
BADGES = ("total", "streak")


# Numbers


def decimals_of(counter: Reader) -> int:
    """How many digits after the point a counter is shown with."""
    if isinstance(counter, Meter):
        return counter.entry.declared.decimals if isinstance(counter.entry.declared, Gauge) else 0
    places = counter.measure.places
    if isinstance(counter.entry.declared, Avg):
        return max(1, min(places, 2))
    return places if counter.measure.exact else min(places, 2)


def number_text(value: Number, decimals: int) -> str:
    """A number as it is written; the page's script writes it alike."""
    return NOTHING if value is None else numeral(value, decimals, get_language() or "")


def counter_text(counter: Reader, value: Number) -> str:
    """A counter's number as it is written where nothing else can stand beside it."""
    text = number_text(value, decimals_of(counter))
    return text if error_of(counter, value) is None else f"{ABOUT}\N{NO-BREAK SPACE}{text}"


def doubt_of(counter: Reader, value: Number) -> str:
    """What is to be known of an estimate, in words; "" of a number that is exact."""
    return _doubt(_("About, give or take {percent} %"), error_of(counter, value))


def doubts_of(counter: Reader, greatest: Number) -> str:
    """The same of several numbers together."""
    sentence = _("About: the greatest number give or take {percent} %, smaller ones more")
    return _doubt(sentence, error_of(counter, greatest or 0))


def _doubt(sentence: str, error: float | None) -> str:
    if error is None:
        return ""
    # Twice the standard error: 19 of 20 are off by less.
    percent = min(100, math.ceil(200 * error))
    return sentence.replace("{percent}", number_text(percent, 0))


def unit_of(counter: Reader, value: Number) -> str:
    """What a number is followed by, such as ``ms``, or ``± 2 %`` of an estimate."""
    declared = counter.entry.declared
    if isinstance(declared, Gauge):
        return declared.unit
    return _doubt(_("± {percent} %"), error_of(counter, value))


def level_of(counter: Reader, value: Number) -> str:
    """The highest level whose threshold the value has reached."""
    return _level((counter.entry.declared.levels or {}), value)


def _level(levels: Mapping[str, float], value: Number) -> str:
    reached = [
        (least, name) for name, least in levels.items() if value is not None and value >= least
    ]
    return max(reached)[1] if reached else ""


def piece(value: Number, decimals: int = 0) -> dict[str, str]:
    """A number as it travels and as it is written."""
    return {
        "value": "" if value is None else str(plain(value)),
        "text": number_text(value, decimals),
    }


def _levels(levels: Mapping[str, float], value: Number) -> dict[str, str]:
    """The level that a number has reached, and all there are, for the browser."""
    return {
        "level": _level(levels, value),
        "levels": " ".join(f"{name}:{least:g}" for name, least in levels.items()),
    }


# Progress


def progress_cards(
    user: Any, names: Sequence[str], near: float, streaks: str, score: str
) -> list[dict[str, Any]]:
    """A card for each counter of a person: of those named, or of those with anything to reach."""
    entries = [registry.counters.get(name) for name in names] or judged_counters()
    found = progress(user)
    badges = _badges(user, entries)
    levels = {
        "goal": {"near": near, "done": 100},
        "streak": {text: float(text) for text in streaks.split()},
        "score": dict(zip(("middle", "high"), map(float, score.split()), strict=False)),
    }
    return [
        _card(entry, found[entry.full_name], badges.get(entry.full_name, []), levels)
        for entry in entries
    ]


def _badges(user: Any, entries: Iterable[CounterEntry]) -> dict[str, list[dict[str, Any]]]:
    """What the person has reached for good, by counter."""
    person = key_of(user)
    names = [entry.full_name for entry in entries]
    found: dict[str, list[dict[str, Any]]] = {}
    earned: Iterable[Achievement] = awards.achievements(person).filter(
        counter__in=names, kind__in=BADGES
    )
    for one in sorted(earned, key=lambda one: (BADGES.index(one.kind), one.step)):
        found.setdefault(one.counter, []).append(
            notices.as_json(one) | {"text": notices.words_of(one)}
        )
    return found


def _card(
    entry: CounterEntry,
    found: Attainment,
    badges: list[dict[str, Any]],
    levels: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    counter = Counter(entry)
    decimals = decimals_of(counter)
    average = None if found.average is None else float(found.average)
    return {
        "name": registry.counters.shortest(entry),
        "label": counter.label,
        "icon": entry.declared.icon,
        "decimals": decimals,
        "total": piece(found.total, decimals),
        "today": piece(found.today, decimals),
        "week": piece(found.week, decimals),
        "month": piece(found.month, decimals),
        "next_milestone": found.next_milestone and piece(found.next_milestone),
        "streak": {
            "current": piece(found.streak.current),
            "longest": piece(found.streak.longest),
            **_levels(levels["streak"], found.streak.current),
        },
        "score": average
        if average is None
        else {
            **piece(average, 1),
            "capped": f"{max(0.0, min(100.0, average)):g}",
            **_levels(levels["score"], average),
        },
        "goals": [
            _goal(period, goal, decimals, levels["goal"]) for period, goal in found.goals.items()
        ],
        "badges": badges,
    }


def _goal(
    period: str, goal: GoalProgress, decimals: int, levels: Mapping[str, float]
) -> dict[str, Any]:
    labels = {"day": _("Today"), "week": _("This week"), "month": _("This month")}
    before, behind = percent_sign(get_language() or "")
    return {
        "period": period,
        "label": labels[period],
        "target": piece(goal.target),
        "progress": piece(goal.progress, decimals),
        # Not rounded up: 100 % is reached.
        "percent": {
            "value": f"{goal.percent:g}",
            "text": number_text(math.floor(goal.percent), 0),
            "before": before,
            "behind": behind,
        },
        "capped": f"{min(100.0, goal.percent):g}",
        **_levels(levels, goal.percent),
    }
