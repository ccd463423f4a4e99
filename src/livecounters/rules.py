"""Rules: what can be reached, as it follows from the declarations.

A counter ``per`` the user with goals, milestones or streaks has some; a badge is one of the host's
own.
"""

from __future__ import annotations

from typing import NamedTuple

from livecounters.declarations import Count, Sum
from livecounters.measures import measure_of
from livecounters.registry import CounterEntry, registry

__all__ = [
    "BADGE",
    "BUSY",
    "Rule",
    "judged_counters",
    "personal_counters",
    "rules",
    "rules_of",
]

BADGE = "badge"

BUSY = 5
"""So many in a day make it a busy one."""


class Rule(NamedTuple):
    """What can be reached by a counter: ``first`` of the day, ``busy`` day, ``goal:day`` and the
    like, a ``total``, a ``streak``; the last two in steps. Or a ``badge``, by its own name."""

    counter: str
    kind: str
    step: int = 0

    @property
    def family(self) -> str:
        """The kind, of all goals the same."""
        return self.kind.partition(":")[0]


def personal_counters() -> list[CounterEntry]:
    """The counts and sums of a person: ``per`` one key, which is the user's. No estimates."""
    return [
        entry
        for entry in registry.counters
        if isinstance(entry.declared, (Count, Sum))
        and isinstance(entry.declared.per, str)
        and measure_of(entry).personal
        and measure_of(entry).sample == 1
    ]


def judged_counters() -> list[CounterEntry]:
    """The counters by which people are judged."""
    return [entry for entry in personal_counters() if rules_of(entry)]


def rules() -> list[Rule]:
    """All rules of the site."""
    own = [Rule(badge.full_name, BADGE) for badge in registry.badges]
    return [*(rule for entry in personal_counters() for rule in rules_of(entry)), *own]


def rules_of(entry: CounterEntry) -> list[Rule]:
    """The rules of a counter; none if it has neither goals nor milestones nor streaks."""
    declared, name = entry.declared, entry.full_name
    if not (declared.goals or declared.milestones or declared.streaks):
        return []
    return [
        Rule(name, "first"),
        Rule(name, "busy", BUSY),
        *(Rule(name, f"goal:{period}") for period in declared.goals or ()),
        *(Rule(name, "total", step) for step in sorted(set(declared.milestones))),
        *(Rule(name, "streak", step) for step in sorted(set(declared.streaks))),
    ]
