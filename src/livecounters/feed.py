"""The stream of events: numbering it and reading it; :mod:`timeline` tells it.

Events are numbered when they are first seen, in the order they became visible: an id will not
do, because a lower one may be committed later. A number and the stream's epoch together name a
place that a page can resume from.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any, NamedTuple

from django.db import models, router, transaction
from django.db.models import Exists, Max, Subquery
from django.utils import timezone

from livecounters.dialects import dialect_of
from livecounters.models import ActivityEvent, Stream
from livecounters.models.events import UNTOLD
from livecounters.selection import EVERYTHING, Selection

__all__ = [
    "Place",
    "begin_epoch",
    "ensure_stream",
    "head",
    "iso",
    "newer",
    "number",
    "placed",
    "pruned",
    "renumber",
    "told",
]

STREAM = 1


class Place(NamedTuple):
    """A place in the stream: nothing up to ``seq`` of this ``epoch`` is news."""

    epoch: str
    seq: int


def iso(moment: dt.datetime) -> str:
    """A moment in UTC as ISO 8601 with milliseconds, ending in Z."""
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    text = moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def database() -> str:
    """The database that holds the events."""
    return router.db_for_write(ActivityEvent)


def _stream(using: str) -> Any:
    return Stream.objects.using(using)


def ensure_stream(using: str) -> None:
    """Make sure that there is a stream, and of this very copy of the database: one that was
    restored may give numbers away that are taken, so it begins a new epoch."""
    home, stream = _home(using), _made(using)
    if home and home != stream.home:
        copied = _stream(using).filter(id=STREAM, home=stream.home)
        copied.update(epoch=_new_epoch(), home=home)


def _made(using: str) -> Stream:
    defaults = {"epoch": _new_epoch, "home": lambda: _home(using)}
    stream: Stream = _stream(using).get_or_create(id=STREAM, defaults=defaults)[0]
    return stream


def _home(using: str) -> str:
    dialect = dialect_of(using)
    with dialect.connection.cursor() as cursor:
        cursor.execute(dialect.home_sql())
        return str(cursor.fetchone()[0])


def _new_epoch() -> str:
    return secrets.token_hex(8)


def begin_epoch(using: str) -> None:
    """Make all pages read the feed anew: what was said before is not to be shown any more."""
    _made(using)
    _stream(using).filter(id=STREAM).update(epoch=_new_epoch())


def head(using: str | None = None) -> Place:
    """The newest place; of a site without a stream yet, the beginning of none."""
    found = _stream(using or database()).filter(id=STREAM).values_list("epoch", "seq").first()
    return Place(*found) if found else Place("", 0)


def number(using: str | None = None) -> Place:
    """Number the events that have none, oldest first; answer the newest place.

    Costs one read when there is nothing to do. Safe beside others that do the same: the stream
    is locked meanwhile.
    """
    using = using or database()
    fresh = Exists(ActivityEvent.objects.filter(seq=None))
    found = _stream(using).filter(id=STREAM).annotate(fresh=fresh).first()
    if found is not None and not found.fresh:
        return Place(found.epoch, found.seq)
    with transaction.atomic(using=using):
        stream = _locked(using)
        stream.seq += _number(using, stream.seq, "seq IS NULL", "id")
        stream.save(update_fields=["seq"])
    return Place(stream.epoch, stream.seq)


def renumber(using: str) -> None:
    """Number all events anew by their time, in a new epoch: for when old ones were added."""
    with transaction.atomic(using=using):
        stream = _locked(using)
        stream.epoch = _new_epoch()
        stream.seq = _number(using, 0, f"seq IS NULL OR seq > {UNTOLD}", "at, id")
        stream.pruned = 0
        stream.save(update_fields=["epoch", "seq", "pruned"])


def _locked(using: str) -> Stream:
    _made(using)
    stream: Stream = _stream(using).select_for_update().get(id=STREAM)
    return stream


def _number(using: str, start: int, where: str, order: str) -> int:
    dialect = dialect_of(using)
    with dialect.connection.cursor() as cursor:
        cursor.execute(dialect.number_sql(where, order), [start])
        return int(cursor.rowcount)


def newest_id(using: str) -> int:
    """The highest id of any event, 0 without one."""
    found = ActivityEvent.objects.using(using).aggregate(newest=Max("id"))
    return found["newest"] or 0


# Reading


def told() -> models.QuerySet[ActivityEvent]:
    """The events that are told, in no order."""
    return ActivityEvent.objects.using(database()).filter(seq__gt=UNTOLD)


def placed(
    rows: models.QuerySet[ActivityEvent], at: Place | None = None
) -> tuple[Place, list[ActivityEvent]]:
    """Events and the newest place, none of them beyond it; read in one query if all events have
    their numbers. ``at`` is a place that is known."""
    if at is None:
        stream = _stream(database()).filter(id=STREAM)
        read = rows.annotate(
            epoch=Subquery(stream.values("epoch")),
            reached=Subquery(stream.values("seq")),
            fresh=Exists(ActivityEvent.objects.using(database()).filter(seq=None)),
        )
        found: list[Any] = list(read)
        if found and found[0].epoch and not found[0].fresh:
            return Place(found[0].epoch, found[0].reached), found
        at = number()
    return at, [row for row in rows if (row.seq or 0) <= at.seq]


def newer(than: int, limit: int, selection: Selection = EVERYTHING) -> list[ActivityEvent] | None:
    """The events above a number, oldest first; at most ``limit`` of them. ``None`` if some of
    them are not kept any more."""
    found = list(told().filter(selection.where, seq__gt=than).order_by("seq")[:limit])
    # Asked last: what is not found any more has been noted by then.
    return None if pruned() > than else found


def pruned() -> int:
    """The highest number whose event was removed, 0 if none was."""
    return _stream(database()).filter(id=STREAM).values_list("pruned", flat=True).first() or 0
