"""Events as they are shown: what happened, how many times, and the words to say it with."""

from __future__ import annotations

import datetime as dt
import re
import string
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.auth import get_user_model
from django.utils import translation
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext

from livecounters.activities import Group
from livecounters.conf import options
from livecounters.feed import iso
from livecounters.grouping import Key, Size
from livecounters.keys import text_of
from livecounters.models import ActivityEvent
from livecounters.registry import registry
from livecounters.targets import address, found

__all__ = ["Event", "Head", "show"]

MAX_WORD = 300
"""Characters of a name, a label or a text of the data that are told; more are cut off."""

# Signs that turn the direction of what follows them, beyond the word that they are in.
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Event:
    """An event, or several told as one: then the newest of them, how many they are (``count``),
    of how many other actors (``others``), and ``group``, the same for all of them."""

    seq: int
    kind: str
    sentence: str | Promise
    icon: str
    at: dt.datetime
    actor: str | None
    target: str | None
    data: Mapping[str, Any]
    url: str | None = None
    group: str | None = None
    count: int = 1
    others: int = 0
    together: Group | None = None

    @property
    def key(self) -> str:
        """What it is one item of a page by: another of the same key takes its place."""
        return self.group or str(self.seq)

    @property
    def text(self) -> str:
        """The sentence, in the active language; plain text, to be escaped where it is shown."""
        words = {**self.data, "actor": self.actor or gettext("Someone"), "target": self.target}
        pattern, group = str(self.sentence), self.together
        if group is not None and self.count > 1 and (self.others or not group.needs_others()):
            pattern = group.pattern(self.count, self.others)
            words |= {"count": number_format(self.count), "others": number_format(self.others)}
        said = _Words({key: word for key, word in words.items() if word is not None})
        return _SAY.vformat(pattern, (), said)

    def as_json(self) -> dict[str, Any]:
        """As frames and the API write it."""
        return {
            "seq": self.seq,
            "key": self.key,
            "kind": self.kind,
            "text": self.text,
            "icon": self.icon,
            "at": iso(self.at),
            "actor": self.actor,
            "target": self.target,
            "data": self.data,
            "url": self.url,
            "count": self.count,
            "others": self.others,
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


class Head(NamedTuple):
    """The newest event of a group and how large that is; or one by itself."""

    row: ActivityEvent
    key: Key | None
    size: Size


def show(heads: Sequence[Head]) -> list[Event]:
    """Events as they are shown. One query for the names of each model of actors, and one for
    each model of targets that are led to."""
    names = _actors(head.row for head in heads)
    linked = found(head.row for head in heads if _links(head.row.kind))
    urls = {event: address(target) for event, target in linked.items()}
    return [_event(head, names, urls) for head in heads]


def _links(kind: str) -> bool:
    try:
        return registry.activities.get(kind).declared.link
    except LookupError:
        return False


def _actors(rows: Iterable[ActivityEvent]) -> dict[tuple[str, str], str]:
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


def _event(
    head: Head, actors: Mapping[tuple[str, str], str], urls: Mapping[int, str | None]
) -> Event:
    row, key, size = head
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
        actor=_word(actor),
        target=_word(row.target_label or None),
        data={key: _word(value) for key, value in row.data.items()},
        url=urls.get(row.pk),
        group=key.id if key else None,
        count=size.events,
        others=size.others,
        together=entry.declared.group if entry and key else None,
    )


def _word(word: Any) -> Any:
    """What somebody else wrote, so that it does no harm to the sentence that it comes into."""
    if not isinstance(word, str):
        return word
    plain = TURNS.sub("", word)
    return plain if len(plain) <= MAX_WORD else plain[: MAX_WORD - 1] + "…"
