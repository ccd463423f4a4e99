"""The lookout: whether there is anything to do, by one query for each database.

Most looks of a pump find nothing, and then this is all that they cost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists
from django.db.models.expressions import Combinable

from livecounters import feed, leases
from livecounters.feed import Place
from livecounters.models import ActivityEvent, Delta, Mark, Measured, Stream, Summons, Suspect

__all__ = ["VIEWERS", "Sight", "look"]

VIEWERS = "viewers:"
"""How the names of leases begin that processes hold while they have viewers."""


@dataclass(frozen=True)
class Sight:
    """What a look finds: the newest ``place`` of the stream, ``None`` if there are events without
    a number; whether anybody watches (``watched``), and anybody is ``summoned``; the databases where
    something is ``pending``."""

    place: Place | None
    watched: bool
    summoned: bool
    pending: Sequence[str]


def look(databases: Sequence[str], now: dt.datetime) -> Sight:
    """Look at the stream and at these databases of counters; changes nothing."""
    streaming = feed.database()
    stream = Stream.objects.using(streaming).annotate(
        fresh=Exists(ActivityEvent.objects.filter(seq=None)),
        watched=Exists(leases.running(VIEWERS, now)),
        summoned=Exists(Summons.objects.all()),
        pending=_anything(),
    )
    columns = ("epoch", "seq", "fresh", "watched", "summoned", "pending")
    found = stream.filter(id=feed.STREAM).values_list(*columns).first()
    # Without a stream somebody has emptied the tables: to be looked at in full.
    epoch, seq, fresh, watched, called, pending = found or ("", 0, True, False, True, True)
    place = None if fresh else Place(epoch, seq)
    waits = {using: pending if using == streaming else _waits(using) for using in databases}
    return Sight(place, watched, called, [using for using, some in waits.items() if some])


def _anything() -> Combinable:
    """Deltas to fold, marks and suspects to settle."""
    return Exists(Delta.objects.all()) | Exists(Mark.objects.all()) | Exists(Suspect.objects.all())


def _waits(using: str) -> bool:
    measured = Measured.objects.using(using).annotate(pending=_anything())
    return bool(measured.values_list("pending", flat=True).first())
