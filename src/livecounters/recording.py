"""``live.emit()``: what happened and is no row, recorded by code or by a browser.

The event is written in the caller's transaction. With a key it is written once: the tombstone of
(kind, key of an actor) is unique, and who comes second waits for the first and answers its event.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from livecounters.dialects import dialect_of
from livecounters.exceptions import Unrecordable
from livecounters.feed import database
from livecounters.keys import join, text_of, textual
from livecounters.models import ActivityEvent, EventSource
from livecounters.models.events import UNTOLD
from livecounters.muting import is_muted
from livecounters.people import key_of
from livecounters.recordables import Recordable, recordable_of
from livecounters.registry import ActivityEntry, registry

__all__ = ["Recorded", "aemit", "emit", "moment", "record"]


class Recorded(NamedTuple):
    """An event, and whether it was written just now; else it was there under its key."""

    event: ActivityEvent
    fresh: bool


def emit(
    name: str,
    *,
    actor: Any = None,
    target: Any = None,
    data: Mapping[str, Any] | None = None,
    key: str | None = None,
    at: dt.datetime | None = None,
) -> ActivityEvent:
    """Record that an activity of a :class:`LiveSite` happened, and answer its event.

    ``actor``
        The user who did it, or the user's primary key.
    ``target``
        The object it was done to; the primary key will do where the activity declares a model.
    ``data``
        Of the keys that the activity declares.
    ``key``
        A text by which this is told from anything else that the actor does. Whoever gives the
        same key again, at any time and from anywhere, gets the first event; nothing is written.
    ``at``
        When it happened, if that was not just now.

    The event is part of the transaction it is written in. Raises ``Unrecordable``, a
    ``ValueError``, for what is not as declared, and ``UnknownName`` for no activity.
    """
    entry = registry.activities.get(name)
    return record(entry, actor=actor, target=target, data=data, key=key, at=at).event


async def aemit(name: str, **given: Any) -> ActivityEvent:
    """:func:`emit` for async code."""
    return await sync_to_async(emit)(name, **given)


def record(
    entry: ActivityEntry,
    *,
    actor: Any = None,
    target: Any = None,
    data: Mapping[str, Any] | None = None,
    key: str | None = None,
    at: dt.datetime | None = None,
) -> Recorded:
    """:func:`emit`, which also answers whether anything was written."""
    if entry.recorded:
        recordable = recordable_of(entry)
    else:
        raise Unrecordable(
            "name",
            f"{entry.name} is told by the rows of {entry.rows_of.__name__}: save one. What is to "
            "be recorded is declared in a live.LiveSite.",
        )
    event = ActivityEvent(
        kind=entry.full_name,
        data=recordable.cleaned(data),
        at=moment(at),
        **_actor(recordable, actor),
        **_target(recordable, target),
    )
    event.seq = _seq(recordable, event)
    with transaction.atomic(using=database()):
        return _written(event) if key is None else _written_once(event, key)


def _written(event: ActivityEvent) -> Recorded:
    event.save(using=database(), force_insert=True)
    return Recorded(event, True)


def _written_once(event: ActivityEvent, key: str) -> Recorded:
    using, source = database(), _source(event, key)
    dialect = dialect_of(using)
    with dialect.connection.cursor() as cursor:
        cursor.execute(dialect.claim_sql(), [event.kind, source])
    # Locked, so that it is read as it is and not as it was when this transaction began.
    sources = EventSource.objects.using(using).filter(kind=event.kind, source=source)
    first = sources.select_for_update().values_list("event", flat=True).get()
    if first is None:
        _written(event)
        sources.update(event=event.pk)
        return Recorded(event, True)
    events = ActivityEvent.objects.using(using).filter(pk=first)
    found = events.first() or events.select_for_update().first()
    if found is None:
        # Pruned since: it is known that it was, and no more.
        event.pk = first
    return Recorded(found or event, False)


def _source(event: ActivityEvent, key: str) -> str:
    if not isinstance(key, str) or not key:
        raise Unrecordable("key", f"key={key!r}: give a text that is not empty.")
    # Short, whatever the key; and nobody else's key can be made to look like it.
    whose = join([event.actor_model, event.actor or "", key])
    return hashlib.sha256(whose.encode("utf-8", "surrogatepass")).hexdigest()


def moment(at: dt.datetime | None) -> dt.datetime:
    """When it happened, as the database keeps moments."""
    if at is None:
        return timezone.now()
    if not isinstance(at, dt.datetime):
        raise Unrecordable("at", f"at={at!r}: give a datetime.")
    if settings.USE_TZ and timezone.is_naive(at):
        raise Unrecordable("at", f"at={at!r} is of no time zone; give an aware datetime.")
    if not settings.USE_TZ and timezone.is_aware(at):
        return timezone.make_naive(at)
    return at


def _actor(recordable: Recordable, actor: Any) -> dict[str, Any]:
    if actor is None or getattr(actor, "is_anonymous", False):
        if recordable.entry.declared.anonymous == "skip":
            raise Unrecordable(
                "actor", f'{recordable.entry.name} is anonymous="skip"; give an actor=.'
            )
        return {}
    if isinstance(actor, models.Model) and actor.pk is None:
        raise Unrecordable("actor", f"actor={actor!r} is not saved yet.")
    try:
        text = key_of(actor)
    except (ValueError, TypeError, ValidationError) as error:
        raise Unrecordable("actor", f"actor={actor!r}: give a user or the key of one.") from error
    return {"actor_model": recordable.actor_model, "actor": text}


def _target(recordable: Recordable, target: Any) -> dict[str, Any]:
    if target is None:
        return {}
    model = recordable.target
    if not isinstance(target, models.Model):
        target = recordable.find(target)
    elif target.pk is None:
        raise Unrecordable("target", f"target={target!r} is not saved yet.")
    elif model is not None and not isinstance(target, model):
        raise Unrecordable("target", f"target={target!r} is no {model.__name__}.")
    pk = textual((model or type(target))._meta.pk, "target")
    return {
        "target_model": recordable.target_model or target._meta.label_lower,
        "target": text_of(pk, target.pk),
        "target_label": recordable.label(target),
    }


def _seq(recordable: Recordable, event: ActivityEvent) -> int | None:
    """Nothing for what is told: its number comes when it is seen."""
    anonymous = recordable.entry.declared.anonymous
    nobody = event.actor is None and recordable.names_actor and anonymous == "count"
    return UNTOLD if nobody or is_muted(database()) else None
