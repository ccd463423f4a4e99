"""Forms for a host's own pages: a person's goals, and what they want."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from livecounters.attainment import progress
from livecounters.declarations import Goal
from livecounters.feed import database
from livecounters.goals import declared_goals, set_goal
from livecounters.people import key_of
from livecounters.preferences import (
    FEED,
    LEADERBOARD,
    NOTICES,
    REMINDERS,
    REPORT,
    preferences,
    set_preference,
)
from livecounters.readers import Counter
from livecounters.registry import CounterEntry, registry

__all__ = ["GoalsForm", "PreferencesForm"]

PERIODS = {"day": _("Goal for a day"), "week": _("Goal for a week"), "month": _("Goal for a month")}

WANTED = {
    LEADERBOARD: _("List me on leaderboards"),
    REMINDERS: _("Remind me when my streak is about to end"),
    REPORT: _("Send me a report every week"),
    FEED: _("Tell others what I reach"),
    "notices:first": _("Show me the first of each day"),
    "notices:busy": _("Show me busy days"),
    "notices:goal": _("Show me goals that I reach"),
    "notices:total": _("Show me totals that I reach"),
    "notices:streak": _("Show me streaks that I reach"),
    "notices:badge": _("Show me badges that I get"),
}


class GoalsForm(forms.Form):
    """A number for each goal that a person may set, within its bounds; ``counter`` narrows it to
    one counter. ``save()`` sets those that were changed, from today on in the person's zone."""

    def __init__(self, *args: Any, user: Any, counter: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.progress = progress(user)
        for name, entry, period, goal in self._goals(counter):
            self.fields[name] = forms.IntegerField(
                label=PERIODS[period] if counter else _of(entry, period),
                min_value=goal.least,
                max_value=goal.most,
                initial=self.progress[entry.full_name].goals[period].target,
            )

    def _goals(self, counter: str) -> Iterator[tuple[str, CounterEntry, str, Goal]]:
        only = registry.counters.get(counter) if counter else None
        for shortest, found in self.progress.items():
            entry = registry.counters.get(found.name)
            if only is not None and entry != only:
                continue
            for period, goal in declared_goals(entry).items():
                if goal.least < goal.most:
                    yield f"{shortest}-{period}", entry, period, goal

    def save(self) -> None:
        person = key_of(self.user)
        with transaction.atomic(using=database()):
            for name in self.changed_data:
                counter, __, period = name.rpartition("-")
                entry = registry.counters.get(counter)
                today = self.progress[entry.full_name].today_is
                set_goal(person, entry, period, self.cleaned_data[name], today)


def _of(entry: CounterEntry, period: str) -> str:
    return gettext("%(label)s: %(text)s") % {"label": Counter(entry).label, "text": PERIODS[period]}


def _wanted(what: str) -> Any:
    if what in WANTED:
        return WANTED[what]
    counter = Counter(registry.counters.get(what.removeprefix(NOTICES)))
    return gettext("Show me what I reach in %(label)s") % {"label": counter.label}


class PreferencesForm(forms.Form):
    """A box for each thing that a person may not want; ``only`` names some of them, ``notices:``
    all that begin with it."""

    def __init__(self, *args: Any, user: Any, only: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = key_of(user)
        for what, wanted in preferences(self.person).items():
            if not only or what in only or (NOTICES in only and what.startswith(NOTICES)):
                self.fields[what] = forms.BooleanField(
                    label=_wanted(what), initial=wanted, required=False
                )

    def save(self) -> None:
        for what in self.changed_data:
            set_preference(self.person, what, self.cleaned_data[what])
