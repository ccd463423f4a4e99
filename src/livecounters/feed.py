"""The stream of events: numbering it, reading it, and saying it in words.

Events are numbered when they are first seen, in the order they became visible: an id will not
do, because a lower one may be committed later. A number and the stream's epoch together name a
place that a page can resume from.
"""

from __future__ import annotations

import datetime as dt
import secrets
import string
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models, router, transaction
from django.db.models import Exists, Max
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext

from livecounters.conf import options
from livecounters.dialects import dialect_of
from livecounters.keys import text_of
from livecounters.models import ActivityEvent, Stream
from livecounters.models.events import UNTOLD
from livecounters.registry import registry

__all__ = [
    "Event",
    "Place",
    "begin_epoch",
    "ensure_stream",
    "head",
    "iso",
    "newer",
    "newest",
    "number",
    "pruned",
    "renumber",
    "said",
]

STREAM = 1


class Place(NamedTuple):
    """A place in the stream: nothing up to ``seq`` of this ``epoch`` is news."""

    epoch: str
    seq: int


@dataclass(frozen=True)
class Event:
    """An event as it is shown: what happened, and the words to say it with."""

    seq: int
    kind: str
    sentence: str | Promise
    icon: str
    at: dt.datetime
    actor: str | None
    target: str | None
    data: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The sentence, in the active language; plain text, to be escaped where it is shown."""
        words = {**self.data, "actor": self.actor or gettext("Someone"), "target": self.target}
        said = _Words({key: word for key, word in words.items() if word is not None})
        return _SAY.vformat(str(self.sentence), (), said)

    def as_json(self) -> dict[str, Any]:
        """As frames and the API write it."""
        return {
            "seq": self.seq,
            "kind": self.kind,
            "text": self.text,
            "icon": self.icon,
            "at": iso(self.at),
            "actor": self.actor,
            "target": self.target,
            "data": self.data,
        }

    def say(self, language: str) -> dict[str, Any]:
        """:meth:`as_json` in a language."""
        with translation.override(language):
            return self.as_json()


class _Formatter(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        # What was told may be of another kind than the sentence expects.
        try:
            return str(super().format_field(value, format_spec))
        except (ValueError, TypeError):
            return str(value)


_SAY = _Formatter()


class _Words(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        # An event that was told before the sentence asked for this.
        return ""


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


def newest(
    limit: int, kinds: Iterable[str] | None = None, before: int | None = None
) -> list[Event]:
    """The newest events, newest first; of these kinds (full names), numbered below ``before``."""
    found = _told(kinds)
    if before is not None:
        found = found.filter(seq__lt=before)
    return _events(found.order_by("-seq")[:limit])


def newer(than: int, limit: int, kinds: Iterable[str] | None = None) -> list[Event] | None:
    """The events above a number, oldest first; at most ``limit`` of them. ``None`` if some of
    them are not kept any more."""
    found = _events(_told(kinds).filter(seq__gt=than).order_by("seq")[:limit])
    # Asked last: what is not found any more has been noted by then.
    return None if pruned() > than else found


def pruned() -> int:
    """The highest number whose event was removed, 0 if none was."""
    return _stream(database()).filter(id=STREAM).values_list("pruned", flat=True).first() or 0


def said(row: ActivityEvent) -> Event:
    """One event as it is shown."""
    return _events([row])[0]


def _told(kinds: Iterable[str] | None) -> models.QuerySet[ActivityEvent]:
    found = ActivityEvent.objects.using(database()).filter(seq__gt=UNTOLD)
    return found if kinds is None else found.filter(kind__in=list(kinds))


def _events(found: Iterable[ActivityEvent]) -> list[Event]:
    rows = list(found)
    actors = _actors(rows)
    return [_event(row, actors) for row in rows]


def _actors(rows: Sequence[ActivityEvent]) -> dict[tuple[str, str], str]:
    """(model, key) -> name of everybody named in these events, in one query a model."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.actor is not None and row.actor_model:
            wanted[row.actor_model].add(row.actor)
    return {
        (model, key): name
        for model, keys in wanted.items()
        for key, name in _names(model, keys).items()
    }


def _names(label: str, keys: set[str]) -> dict[str, str]:
    try:
        model = apps.get_model(label)
    except LookupError:
        return {}
    names = {}
    people = model._default_manager.filter(pk__in=keys)
    if model is get_user_model():
        people = options().with_names(people)
    for person in people:
        key = text_of(model._meta.pk, person.pk)
        if model is not get_user_model():
            names[key] = str(person)
        elif options().may_be_seen(person):
            names[key] = options().actor_name(person)
    return names


def _event(row: ActivityEvent, actors: Mapping[tuple[str, str], str]) -> Event:
    try:
        entry = registry.activities.get(row.kind)
    except LookupError:
        entry = None
    actor: str | None = row.actor
    if actor is not None and row.actor_model:
        actor = actors.get((row.actor_model, actor))
    return Event(
        seq=row.seq or 0,
        kind=registry.activities.shortest(entry) if entry else row.kind,
        sentence=entry.declared.text if entry else "{target}",
        icon=entry.declared.icon if entry else "",
        at=row.at,
        actor=actor,
        target=row.target_label or None,
        data=row.data,
    )
