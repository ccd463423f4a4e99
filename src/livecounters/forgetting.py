"""Forgetting a person, while every total stays right.

What happened keeps counting. But whose it was becomes a random token that leads nowhere: in the
events, in what is counted per actor or target and in distinct values, all in one transaction,
so that events and numbers agree at any moment. Numbers over the host's own rows follow those
rows: when the host deletes them they are nothing, and of that nothing is kept.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.utils import timezone

from livecounters import audit, awards, feed, ladders, leases, sightings
from livecounters.dialects import dialect_of
from livecounters.exceptions import Busy
from livecounters.folding import alone, fold
from livecounters.keys import join, split, target_of, text_of
from livecounters.measures import Measure, measure_of
from livecounters.models import ActivityEvent, Bucket, Delta, EventSource, Member
from livecounters.models.events import FORGOTTEN
from livecounters.presence import Kind, Who, store
from livecounters.readers import Counter, Question, read
from livecounters.registry import CounterEntry, registry
from livecounters.rows import related_model, rows, source_columns
from livecounters.tellings import Telling, party, telling_of
from livecounters.windows import ever

__all__ = ["FORGOTTEN", "Forgotten", "Person", "about", "forget"]

logger = logging.getLogger("livecounters")

# What is changed of an event.
CHANGED = {
    "actor": {"actor", "actor_model", "data"},
    "target": {"target", "target_model", "target_label"},
}

LEASE = 120.0


@dataclass(frozen=True)
class Person:
    """Whoever acts or is acted upon: a user, or a row of any other model.

    ``row`` is None for one who is deleted already; then only what was told by the primary key
    can be found.
    """

    model: type[models.Model]
    key: str
    row: models.Model | None = None

    @classmethod
    def of(cls, row: models.Model) -> Person:
        model = row._meta.concrete_model or type(row)
        return cls(model, text_of(model._meta.pk, row), row)

    @classmethod
    def named(cls, text: str) -> Person:
        """The user with this primary key or user name; who has neither and could have had the
        key is one who is deleted. Raises ``LookupError`` if it is no key, or of two users."""
        model = get_user_model()
        users = model._base_manager
        key, found = None, users.filter(**{model.USERNAME_FIELD: text}).first()
        with suppress(ValidationError, ValueError, TypeError, OverflowError):
            key = text_of(model._meta.pk, text)
            keyed = users.filter(pk=model._meta.pk.to_python(text)).first()
            if keyed is not None and found is not None and keyed != found:
                raise LookupError(
                    f"{text!r} is the key of {keyed} and the name of {found}; give the name of "
                    "the first, or the key of the second."
                )
            found = found or keyed
        if found is not None:
            return cls.of(found)
        if key is None:
            raise LookupError(f"{text!r} is no user's name, and cannot be a key either.")
        return cls(model, key)

    @property
    def is_user(self) -> bool:
        """Whether it is somebody who can sign in."""
        return self.model is get_user_model()._meta.concrete_model

    @cached_property
    def labels(self) -> list[str]:
        """What events call the model."""
        return [
            model._meta.label_lower
            for model in apps.get_models()
            if model._meta.concrete_model is self.model
        ]

    def text(self, stored: models.Field[Any, Any]) -> str | None:
        """How a column that refers to a field of the person's model names the person."""
        if self.row is not None:
            return text_of(stored, getattr(self.row, stored.attname))
        return self.key if stored == target_of(self.model._meta.pk) else None

    def told(self, telling: Telling, column: str) -> str | None:
        """How an activity's events name the person in a column."""
        stored = telling.field(column)
        if stored is None:
            return None
        if getattr(telling, f"{column}_model") in self.labels:
            return self.text(stored)
        # An activity of the person's own row, such as joining: told by a column of it.
        own = telling.model._meta.concrete_model is self.model and stored.model is self.model
        return self.text(stored) if own else None


@dataclass
class Forgotten:
    """What was done, or would be: events in which the person ``acted`` or was the ``target``,
    ``counters`` over them in which the token stands now, keys of the events' data that were
    ``cleared`` and that are ``counted`` and therefore stay, and counters over the host's rows
    that still have numbers ``following`` those rows."""

    acted: int = 0
    targeted: int = 0
    counters: list[str] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    following: list[str] = field(default_factory=list)


def forget(person: Person, dry_run: bool = False) -> Forgotten:
    """Forget a person; again and again if need be. All pages read their feeds anew.

    Forget who can do nothing any more: what comes later is told under the name again. Raises
    ``Busy`` while a measure that is concerned is being repaired.
    """
    using, done = feed.database(), Forgotten()
    places = [place for column in CHANGED for place in _places(using, person, column)]
    over_events = {name: m for place in places for name, m in place.measures.items()}
    done.counters = sorted(over_events)
    for place in places:
        done.acted += place.events.count() if place.column == "actor" else 0
        done.targeted += place.events.count() if place.column == "target" else 0
        done.cleared = sorted({*done.cleared, *place.cleared})
        done.counted = sorted({*done.counted, *(place.counted & place.told)})
    if not dry_run:
        if places:
            _forget_events(using, places, over_events.values())
        _drop_nothing(person)
        _forget_presence(person)
    done.following = list(_following(person))
    return done


def _forget_presence(person: Person) -> None:
    """When they were here last, and that they are."""
    if not person.is_user:
        return
    awards.forget(person.key)
    sightings.forget(person.key)
    try:
        store().forget(Who(Kind.PERSON, person.key))
    except Exception as error:
        # Whatever a store's library raises: what it keeps ends with its leases anyway.
        logger.warning("livecounters: the presence store does not answer: %r", error)


# Events and the numbers over them


@dataclass
class _Place:
    """Where a person stands: as the ``text`` in a column of the events of one kind."""

    using: str
    kind: str
    column: str
    text: str

    @property
    def events(self) -> QuerySet[ActivityEvent]:
        found = ActivityEvent.objects.using(self.using)
        return found.filter(_by_index(**{"kind": self.kind, self.column: self.text}))

    @property
    def counters(self) -> list[CounterEntry]:
        return [
            entry
            for entry in registry.counters
            if entry.activity is not None and entry.activity.full_name == self.kind
        ]

    @property
    def measures(self) -> dict[str, Measure]:
        return {entry.full_name: measure_of(entry) for entry in self.counters}

    @cached_property
    def told(self) -> set[str]:
        """The keys of the data of the person's own events."""
        if self.column != "actor":
            return set()
        found = self.events.values_list("data", flat=True).iterator()
        return {key for data in found if isinstance(data, dict) for key in data}

    @property
    def counted(self) -> set[str]:
        """The keys that counters add up or look at."""
        texts = [f"{entry.declared.expression!r} {entry.where!r}" for entry in self.counters]
        return {key for key in self.told if any(f"data__{key}" in text for text in texts)}

    @property
    def cleared(self) -> set[str]:
        return self.told - self.counted


def _by_index(**named: Any) -> Q:
    """Events, found by the index of those that have a number and by that of those without."""
    return Q(seq__isnull=False, **named) | Q(seq__isnull=True, **named)


def _places(using: str, person: Person, column: str) -> list[_Place]:
    texts = {}
    events = ActivityEvent.objects.using(using)
    # Kinds that nobody declares any more as well.
    known = events.filter(_by_index(**{f"{column}_model__in": person.labels, column: person.key}))
    for kind in known.values_list("kind", flat=True).distinct().order_by("kind"):
        texts[kind] = person.key
    for entry in registry.activities:
        if entry.recorded:
            text = person.key if party(entry, column) in person.labels else None
        else:
            text = person.told(telling_of(entry), column)
        if text is not None:
            texts[entry.full_name] = text
    places = [_Place(using, kind, column, text) for kind, text in texts.items()]
    return [place for place in places if place.measures or place.events.exists()]


def _forget_events(using: str, places: Sequence[_Place], measures: Iterable[Measure]) -> None:
    dialect, token = dialect_of(using), secrets.token_hex(16)
    concerned = {measure.key: measure for measure in measures}
    fold(using, wait=True)
    with _unrepaired(using, list(concerned)) as sure, alone(dialect):
        sure()
        for place in places:
            for measure in {m.key: m for m in place.measures.values()}.values():
                _rename(measure, place, token)
            _clear(place)
            _drop_sources(place)
        # The keys go last: by them the events are found.
        changed = sum([_replace(place, token) for place in places])
        if changed:
            feed.begin_epoch(using)
    for measure in concerned.values():
        if any(_looks_at(measure, place.column) for place in places):
            audit.repair(measure, told=False)


@contextmanager
def _unrepaired(using: str, keys: Sequence[str]) -> Iterator[Any]:
    """Nobody repairs these measures: a difference taken before would bring back what is gone."""
    holder, names = secrets.token_hex(8), [f"repair:{key}" for key in keys]

    def sure() -> None:
        if not all(leases.keep(name, holder, using) for name in names):
            raise Busy("another process has taken over a repair. Try again.")

    try:
        for name in names:
            if not leases.hold(name, holder, timezone.now(), LEASE, using):
                raise Busy("numbers over these events are being repaired. Try again later.")
        yield sure
    finally:
        for name in names:
            leases.release(name, holder, using)


def _rename(measure: Measure, place: _Place, token: str) -> None:
    for name in ("scope", "member"):
        if getattr(measure, name) != place.column or measure.extremes:
            continue
        tables = [Bucket, Member, Delta] if name == "scope" else [Member, Delta]
        for model in tables:
            found: Any = model._default_manager.using(place.using)
            found.filter(**{"measure": measure.key, name: place.text}).update(**{name: token})
    for ladder in ladders.ladders(place.using, [measure]).values():
        ladders.renew(dialect_of(place.using), measure, ladder, [place.text, token])


def _clear(place: _Place) -> None:
    """Take out of the data of the person's own events what no counter looks at."""
    if not place.cleared:
        return
    if not place.counted:
        place.events.update(data={})
        return
    without = dialect_of(place.using).without_sql("data", place.cleared)
    place.events.update(data=RawSQL(without.replace("%", "%%"), ()))


def _drop_sources(place: _Place) -> None:
    """Whoever can guess the key of what was recorded could tell by it whose an event was."""
    if place.column == "actor":
        events = place.events.values("id")
        EventSource.objects.using(place.using).filter(kind=place.kind, event__in=events).delete()


def _replace(place: _Place, token: str) -> int:
    values = {place.column: token, f"{place.column}_model": FORGOTTEN}
    if place.column == "target":
        values["target_label"] = ""
    return place.events.update(**values)


def _looks_at(measure: Measure, column: str) -> bool:
    """Whether what is changed decides about more than whose a number is."""
    where = rows(ActivityEvent, measure.where, {"one": Value(1)})
    columns = {*source_columns(where)}
    # Of an estimate the key decides whether it is counted at all.
    decides = measure.sample > 1 or measure.member not in ("actor", "target")
    if isinstance(measure.member, str) and decides:
        columns.add(measure.member)
    return bool(columns & CHANGED[column])


# Numbers over the host's rows


def _own(person: Person) -> Iterator[tuple[CounterEntry, str, str]]:
    """(counter, column, text) of each column of a counter over rows that may name the person."""
    for entry in registry.counters:
        if entry.activity is None:
            measure = measure_of(entry)
            fields = dict(measure.scope_fields)
            if measure.member_field is not None:
                fields["member"] = measure.member_field
            for name, stored in fields.items():
                if related_model(measure.rows, name) in person.labels:
                    text = person.text(stored)
                    if text is not None:
                        yield entry, name, text


def _scopes(measure: Measure, column: str, text: str) -> list[str]:
    """The scopes, one of whose keys is this text."""
    names = list(measure.scope_paths)
    if len(names) == 1:
        return [text]
    kept = Bucket.objects.using(measure.using).filter(
        measure=measure.key, scope__contains=join([text])
    )
    found = kept.values_list("scope", flat=True).distinct()
    return sorted(scope for scope in found if split(scope)[names.index(column)] == text)


def _drop_nothing(person: Person) -> None:
    """Drop the rows of numbers over the host's rows that are nothing by now."""
    found = [(measure_of(entry), name, text) for entry, name, text in _own(person)]
    for using in {measure.using for measure, _, _ in found}:
        fold(using, wait=True)
        with alone(dialect_of(using)):
            for measure, name, text in found:
                if measure.using == using:
                    _drop_nothing_of(measure, name, text)


def _drop_nothing_of(measure: Measure, name: str, text: str) -> None:
    members = Member.objects.using(measure.using).filter(measure=measure.key, count=0)
    if name == "member":
        members.filter(member=text).delete()
        return
    scopes = _scopes(measure, name, text)
    members.filter(scope__in=scopes).delete()
    buckets = Bucket.objects.using(measure.using).filter(measure=measure.key, scope__in=scopes)
    buckets.filter(count=0, total=0, members=0).delete()


# What is kept


def about(person: Person) -> dict[str, Any]:
    """All that is kept about a person, to be written as JSON."""
    using = feed.database()
    events = []
    for column in CHANGED:
        for place in _places(using, person, column):
            events += [_as_json(event, column) for event in place.events.order_by("at", "id")]
    numbers = {**_over_events(person), **_following(person)}
    seen = sightings.last_seen(person.key) if person.is_user else None
    return {
        "model": person.model._meta.label,
        "key": person.key,
        "last_seen": None if seen is None else feed.iso(seen),
        "achievements": _achievements(person),
        "events": events,
        "numbers": {name: str(value) for name, value in numbers.items()},
    }


def _achievements(person: Person) -> list[dict[str, Any]]:
    if not person.is_user:
        return []
    found = awards.achievements(person.key).values("counter", "kind", "step", "period", "at")
    return [{**one, "at": feed.iso(one["at"])} for one in found]


def _as_json(event: ActivityEvent, column: str) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "as": column,
        "at": feed.iso(event.at),
        "target": event.target_label,
        "data": event.data,
    }


def _following(person: Person) -> dict[str, Any]:
    """The numbers over the host's rows that are the person's own."""
    return _numbers(
        [
            (entry, scope)
            for entry, name, text in _own(person)
            if name != "member"
            for scope in _scopes(measure_of(entry), name, text)
        ]
    )


def _over_events(person: Person) -> dict[str, Any]:
    """The numbers over events that are the person's own."""
    return _numbers(
        [
            (entry, place.text)
            for column in CHANGED
            for place in _places(feed.database(), person, column)
            for entry in place.counters
            if entry.declared.per == column
        ]
    )


def _numbers(asked: Sequence[tuple[CounterEntry, str]]) -> dict[str, Any]:
    """Counter -> its number of all times, if it is any; of several keys with all of them."""
    values = read([Question(Counter(entry), scope, ever) for entry, scope in asked])
    found = {
        f"{entry.full_name}[{scope}]"
        if isinstance(entry.declared.per, tuple)
        else entry.full_name: value
        for (entry, scope), value in zip(asked, values, strict=True)
    }
    return {name: value for name, value in sorted(found.items()) if value}
