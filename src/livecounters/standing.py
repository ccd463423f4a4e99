"""How each measure stands: read from its buckets, or counted from its source and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from livecounters import capture
from livecounters.measures import Measure
from livecounters.models import Measured
from livecounters.registry import Registry, registry
from livecounters.watches import names_of, watches

__all__ = ["STATES", "Standing", "standing_of", "standings"]

STATES = {
    "installed": gettext_lazy("installed"),
    "outdated": gettext_lazy("outdated"),
    "missing": gettext_lazy("missing"),
    "orphaned": gettext_lazy("orphaned"),
}
"""The states of triggers, as people read them."""


@dataclass(frozen=True)
class Standing:
    """One measure: the counters that read it, its triggers, and what is remembered of it."""

    measure: Measure
    names: tuple[str, ...]
    table: str
    triggers: str
    captured: Measured | None

    @property
    def in_force(self) -> bool:
        """Whether readers take its buckets."""
        return self.captured is not None and (self.captured.ready or self.floor is not None)

    @property
    def floor(self) -> int | None:
        return self.captured.floor if self.captured is not None else None

    @property
    def since(self) -> dt.datetime | None:
        """Since when it is captured without a gap."""
        return self.captured.since if self.installed and self.captured is not None else None

    @property
    def installed(self) -> bool:
        """Whether triggers capture it, so that it can be repaired."""
        found = self.captured is not None and self.captured.installation != ""
        return found and self.triggers != "missing"

    @property
    def trouble(self) -> str:
        """What keeps it from being right by itself, and the cure, in the active language; empty
        if nothing does."""
        if not self.installed:
            return _("no triggers capture it from %(table)s: run %(command)s") % {
                "table": self.table,
                "command": "manage.py livecounters sync",
            }
        if self.captured is None or not self.captured.ready:
            return _("what was there before its triggers is not added yet: run %(command)s") % {
                "command": "manage.py livecounters rebuild"
            }
        return ""

    def unchanged(self) -> bool:
        """Whether it has stood like this all the time since it was looked at."""
        if self.captured is None:
            return False
        row = Measured.objects.using(self.measure.using).filter(
            measure=self.measure.key,
            installation=self.captured.installation,
            ready=self.captured.ready,
        )
        return row.exists()


WORSE = ("installed", "outdated", "missing")


def standings(using: str, declared: Registry = registry) -> list[Standing]:
    """All measures of one database."""
    states = {state.table: state.state for state in capture.states(using, declared)}
    captured = {row.measure: row for row in Measured.objects.using(using)}
    return [
        Standing(
            measure,
            tuple(names_of(measure.key, declared)),
            watch.table,
            max((states[table] for table in watch.tables_of(measure.key)), key=WORSE.index),
            captured.get(measure.key),
        )
        for watch in watches(using, declared)
        for measure in watch.own
    ]


def standing_of(measure: Measure) -> Standing:
    """One measure of those that are declared."""
    return next(one for one in standings(measure.using) if one.measure.key == measure.key)
