"""Goals: what was to be reached on a day, by the declaration or by the person's own word.

A goal that is changed counts from its day on: yesterday is judged by yesterday's goal.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from livecounters.declarations import PERIODS, Goal
from livecounters.feed import database
from livecounters.models import PersonalGoal
from livecounters.registry import CounterEntry
from livecounters.summonses import summon

__all__ = ["Goals", "check_goal", "declared_goals", "goals_of", "set_goal"]


@dataclass(frozen=True)
class Goals:
    """The goals of one person for one counter."""

    declared: Mapping[str, Goal]
    own: Mapping[str, list[tuple[dt.date, int]]]

    def on(self, period: str, day: dt.date) -> int:
        """What was to be reached in the period that a day is in, as it was wanted that day."""
        wanted = self.declared[period].target
        for since, target in self.own.get(period, ()):
            if since <= day:
                wanted = target
        return wanted


def declared_goals(entry: CounterEntry) -> dict[str, Goal]:
    """The goals of a declaration, by period."""
    given = entry.declared.goals or {}
    found = {
        period: goal if isinstance(goal, Goal) else _open(goal) for period, goal in given.items()
    }
    return {period: found[period] for period in PERIODS if period in found}


def _open(target: int) -> Goal:
    return Goal(target, most=max(1000, target))


def goals_of(person: str, entries: list[CounterEntry]) -> dict[str, Goals]:
    """Full name of a counter -> the goals of a person, in one query."""
    own: dict[str, dict[str, list[tuple[dt.date, int]]]] = defaultdict(lambda: defaultdict(list))
    names = [entry.full_name for entry in entries if entry.declared.goals]
    if names:
        found = _all().filter(person=person, counter__in=names).order_by("since")
        for counter, period, since, target in found.values_list(
            "counter", "period", "since", "target"
        ):
            own[counter][period].append((since, target))
    return {e.full_name: Goals(declared_goals(e), own[e.full_name]) for e in entries}


def set_goal(person: str, entry: CounterEntry, period: str, target: int, day: dt.date) -> None:
    """Set a person's own goal from a day on. Raises ``ValueError`` for what is not declared or
    out of its bounds; the message may be shown to the person."""
    check_goal(entry, period, target)
    _all().update_or_create(
        person=person,
        counter=entry.full_name,
        period=period,
        since=day,
        defaults={"target": target},
    )
    summon(person)


def check_goal(entry: CounterEntry, period: str, target: int) -> None:
    """Raises ``ValueError`` as :func:`set_goal` does."""
    declared = declared_goals(entry)
    if period not in declared:
        known = ", ".join(declared) or "none"
        raise ValueError(f"{entry.name} has no goal for a {period}; there are: {known}.")
    goal = declared[period]
    if (
        isinstance(target, bool)
        or not isinstance(target, int)
        or not goal.least <= target <= goal.most
    ):
        raise ValueError(
            _("Give a whole number from %(least)s to %(most)s.")
            % {"least": goal.least, "most": goal.most}
        )


def _all() -> QuerySet[PersonalGoal]:
    return PersonalGoal._base_manager.using(database())
