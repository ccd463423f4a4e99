"""Interventions: what an operator may do to a counter by hand, and why not where not.

*Verify* and *repair* are the audit of one measure, and what makes it right.

*Pause*: pages are not told of it. Capture and folding go on, so it is right whenever it is read: by a
page that is loaded, the API, your code. A page that is open keeps the number it shows, and gets the
right one within seconds when the counter is resumed.

*Reset*: it counts from now on. Only a counter over events can do that: what happened is a story
that may begin anew. The number of rows there are is a fact; it would be wrong from then on, and the
next audit would say so.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from livecounters import audit, installation, ladders
from livecounters.audit import Audit, Progress, Turn
from livecounters.dialects import dialect_of
from livecounters.exceptions import Busy
from livecounters.folding import alone, fold, raise_ladders
from livecounters.measures import Measure, measure_of
from livecounters.models import ActivityEvent, Bucket, Measured, Member, Score
from livecounters.readers import aware, stored
from livecounters.registry import CounterEntry, registry
from livecounters.retention import floor_of
from livecounters.standing import Standing

__all__ = [
    "Refused",
    "pause",
    "refuses_pause",
    "refuses_reset",
    "repair",
    "reset",
    "resume",
    "verify",
]

logger = logging.getLogger("livecounters")


class Refused(Exception):
    """It would make a number say what is not so; the text says why."""


def verify(standing: Standing, scopes: Sequence[str] | None = None) -> Audit | None:
    """Audit a measure; ``None`` where it is counted from its source anyway."""
    if not standing.in_force:
        return None
    found = audit.verify(standing.measure, scopes)
    if found.wrong and not standing.unchanged():
        # Its triggers were taken away meanwhile, or its table truncated: readers know.
        return None
    return found


def repair(
    standing: Standing, scopes: Sequence[str] | None = None, progress: Progress | None = None
) -> tuple[int, bool]:
    """Make what is kept equal to what there is: (how many buckets were corrected, whether the
    measure was brought in force). Raises ``Refused``, and ``Busy`` while another does it."""
    names, measure = " ".join(standing.names), standing.measure
    if not standing.installed:
        raise Refused(f"{names}: {standing.trouble}.")
    if not standing.trouble:
        number = audit.repair(measure, scopes, progress=progress)
        if scopes is None and ladders.ranked(measure):
            ladders.drop(measure.using, [measure.key])
            raise_ladders(measure.using)
        return number, False
    if scopes is not None:
        raise Refused(f"{names}: not ready, so leave --of away and rebuild all of it.")

    def told(_names: str, done: int, number: int) -> None:
        if progress is not None:
            progress(done, number)

    if not installation.backfill(measure, told):
        raise Refused(f"{names}: {_('its triggers were taken away meanwhile. Try again.')}")
    return 0, True


def refuses_pause(standing: Standing) -> str:
    """Why a measure cannot be paused; empty if it can."""
    if standing.in_force:
        return ""
    return _("It is counted from its source just now: %(trouble)s.") % {"trouble": standing.trouble}


def pause(standing: Standing, now: dt.datetime) -> None:
    """Tell pages nothing of a measure, until it is resumed. Raises ``Refused``."""
    if reason := refuses_pause(standing):
        raise Refused(reason)
    _row(standing.measure).filter(paused_at=None).update(paused_at=now)


def resume(standing: Standing) -> None:
    """Tell pages again."""
    _row(standing.measure).update(paused_at=None)


def refuses_reset(standing: Standing, now: dt.datetime) -> str:
    """Why a measure cannot be reset; empty if it can."""
    measure = standing.measure
    if not measure.append_only:
        return _(
            "It is the number of rows there are, and would be wrong from then on: delete the rows, "
            "or declare a window. Only a counter over events can begin anew."
        )
    if measure.extremes:
        return _("The least and greatest value are those of rows, not a sum that could begin anew.")
    if measure.personal:
        return _("People's progress, goals and streaks are read from it.")
    if not standing.in_force or standing.trouble:
        return refuses_pause(standing) or standing.trouble
    if _after(measure, now).exists():
        return _("It counts events that lie in the future; they would be missed from then on.")
    return ""


def reset(standing: Standing, now: dt.datetime) -> int:
    """Let a measure begin at nothing; answers how many buckets were dropped.

    What happened before is not counted again by any audit or repair, and neither audited until the
    day is over; a changed declaration is another measure, which counts all that is there. Raises
    ``Refused``, and ``Busy`` while somebody repairs it.
    """
    if reason := refuses_reset(standing, now):
        raise Refused(reason)
    measure = standing.measure
    using, dialect = measure.using, dialect_of(measure.using)
    turn = Turn(measure, secrets.token_hex(8))
    turn.take()
    try:
        # What happened until now goes with the rest; what happens meanwhile counts already.
        fold(using, wait=True)
        with alone(dialect):
            turn.go_on()
            floor = floor_of(measure.clock, aware(now))
            ready = _row(measure).filter(ready=True)
            if not ready.update(floor=floor, reset_at=now, audited_at=now, drift=0):
                raise Busy(_("its triggers were taken away meanwhile. Try again."))
            dropped = 0
            for model in (Bucket, Member, Score):
                number, _by_model = (
                    model._base_manager.using(using).filter(measure=measure.key).delete()
                )
                dropped += number
            ladders.drop(using, [measure.key])
    finally:
        turn.end()
    if ladders.ranked(measure):
        raise_ladders(using)
    logger.warning("livecounters: %s was reset, %s buckets dropped.", turn.names, dropped)
    return dropped


def _row(measure: Measure) -> QuerySet[Measured]:
    return Measured.objects.using(measure.using).filter(measure=measure.key)


def _after(measure: Measure, now: dt.datetime) -> QuerySet[ActivityEvent]:
    """The events of its activities above where its floor would be."""
    floor = measure.clock.moment(floor_of(measure.clock, aware(now)))
    kinds = {
        entry.activity.full_name
        for entry in registry.counters
        if isinstance(entry, CounterEntry)
        and entry.activity is not None
        and measure_of(entry).key == measure.key
    }
    return ActivityEvent.objects.using(measure.using).filter(kind__in=kinds, at__gte=stored(floor))
