"""Topics: what a page can subscribe to, who may, and the signed tokens that say so.

    counter:<name>                      a counter or gauge of the site
    counter:<name>:<key>                one of one object
    online:<room>, online:<name>:<key>  who is in a room, or at an object: how many
    progress                            what the reader has attained, judged by the session
    feed, feed:<kind>,<kind>            all activities, or these
    feed?target=<model>:<key>           what was done to an object, or to one of several
    feed?actor=<model>:<key>            what somebody did, or one of several
    series:..., breakdown:..., top:...  charts and lines: see ``readings``

A token is the topic, ``~`` and a signature. A template tag signs what it shows, so a page may
follow what it was given; tokens do not expire, since pages are cached and laptops sleep. A topic
that belongs to a person is judged by the session instead, however it is written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.signing import BadSignature, Signer

from livecounters.audience import Viewer, judged, may_see
from livecounters.exceptions import TopicRefused
from livecounters.gauges import SITE, Online
from livecounters.judges import PROGRESS
from livecounters.keys import Field, split, text_of
from livecounters.measures import measure_of
from livecounters.meters import ONLINE, Meter
from livecounters.numbers import Reader, reader_of
from livecounters.people import key_of
from livecounters.readings import FAMILIES, LinesTopic, Reading, SeriesTopic
from livecounters.readings import parse as parse_reading
from livecounters.registry import CounterEntry, GaugeEntry, registry
from livecounters.selection import EVERYTHING, Party, Selection, parties_of, party_of
from livecounters.tellings import party

__all__ = [
    "CounterTopic",
    "FeedTopic",
    "LinesTopic",
    "OnlineTopic",
    "ProgressTopic",
    "SeriesTopic",
    "Topic",
    "feed_of",
    "granted",
    "may_read",
    "models_of",
    "parse",
    "personal",
    "said",
    "seen_by",
    "shown",
    "sign",
]

SEPARATOR = "~"
# Signatures are HMACs with SHA-256 in URL-safe base 64.
TOKEN = re.compile(r"~[\w-]{43}$", re.ASCII)
# A topic holds at most a name and a key of 255 characters each, or some objects.
MAX_LENGTH = 2_000
MAX_PARTIES = 50


@dataclass(frozen=True)
class CounterTopic:
    """One number."""

    counter: Reader
    scope: str
    asked: str = ""

    def __str__(self) -> str:
        if self.asked:
            return self.asked
        name = registry.numbers.shortest(self.counter.entry)
        return f"counter:{name}:{self.scope}" if self.counter.per else f"counter:{name}"

    @property
    def origin(self) -> tuple[str, str]:
        """What its changes are announced under, and of that which one."""
        return self.counter.origin(self.scope)


@dataclass(frozen=True)
class OnlineTopic:
    """How many people, guests and connections are in a room."""

    meter: Meter
    scope: str = ""
    asked: str = ""

    def __str__(self) -> str:
        if self.asked:
            return self.asked
        if self.meter.per:
            return f"online:{registry.numbers.shortest(self.meter.entry)}:{self.scope}"
        return f"online:{self.room}"

    @property
    def room(self) -> str:
        """The name of the room."""
        return self.meter.room(self.scope)

    @property
    def origin(self) -> tuple[str, str]:
        """What its changes are announced under, and of that which one."""
        return ONLINE, self.room


@dataclass(frozen=True)
class FeedTopic:
    """The events of a selection, as one audience sees them.

    ``granted`` narrows the selection to the kinds that a viewer may see: all who see the same
    kinds share a topic. Where a function decides about each event, ``viewer`` is whose eyes it is
    seen with; ``judged`` says that it mattered who asked.
    """

    selection: Selection = EVERYTHING
    asked: str = "feed"
    narrowed: bool = False
    viewer: str | None = None
    judged: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        if not self.narrowed and self.viewer is None:
            return self.asked
        audience = repr((self.selection.kinds, self.viewer))
        return f"{self.asked}#{hashlib.sha256(audience.encode()).hexdigest()[:16]}"

    @property
    def kinds(self) -> list[str] | None:
        """The kinds it tells, by full name; None for all."""
        return None if self.selection.kinds is None else list(self.selection.kinds)


@dataclass(frozen=True)
class ProgressTopic:
    """What one person has attained. Each calls their own ``progress``."""

    person: str

    def __str__(self) -> str:
        return f"{PROGRESS}:{self.person}"

    @property
    def origin(self) -> tuple[str, str]:
        """What its changes are announced under, and of that which one."""
        return PROGRESS, self.person


Topic = CounterTopic | OnlineTopic | ProgressTopic | FeedTopic | Reading


def _signer() -> Signer:
    return Signer(sep=SEPARATOR, salt="livecounters.topics")


def sign(topic: Topic) -> str:
    """The token of a topic."""
    return _signer().sign(said(topic))


def parse(name: str) -> Topic:
    """The topic of a plain name, which it keeps. Raises ``TopicRefused`` if there is none.

    A counter's full and short name, or two spellings of a key, are two topics that say the same.
    """
    family, _, rest = name.partition(":")
    try:
        if family.partition("?")[0] == "feed":
            return _feed(name)
        if family == "counter":
            return _counter(rest, name)
        if family == "online":
            return _online(rest, name)
        if family in FAMILIES:
            return parse_reading(name)
    except (LookupError, ValueError, TypeError):
        pass
    except Exception as error:  # a key that the field's own to_python refuses
        raise TopicRefused(name) from error
    raise TopicRefused(name)


def _counter(rest: str, asked: str) -> CounterTopic:
    name, colon, key = rest.partition(":")
    counter = reader_of(registry.numbers.get(name))
    return CounterTopic(counter, counter.scope(key if colon else None), asked)


def _online(rest: str, asked: str) -> OnlineTopic:
    name, colon, key = rest.partition(":")
    if colon:
        meter = Meter(registry.gauges.get(name))
        return OnlineTopic(meter, meter.scope(key), asked)
    return OnlineTopic(_of_room(name or SITE), "", asked)


def _feed(asked: str) -> FeedTopic:
    name, mark, query = asked.partition("?")
    _, colon, kinds = name.partition(":")
    entries = [registry.activities.get(kind) for kind in kinds.split(",")] if colon else None
    given: dict[str, list[Party]] = {"target": [], "actor": []}
    for word, value in (
        parse_qsl(query, keep_blank_values=True, strict_parsing=True) if mark else ()
    ):
        model, _, key = value.partition(":")
        given[word].append(party_of(model, key))
    if (mark and not query) or max(map(len, given.values())) > MAX_PARTIES:
        raise ValueError(asked)
    full_names = None if entries is None else tuple(entry.full_name for entry in entries)
    return FeedTopic(Selection(full_names, tuple(given["target"]), tuple(given["actor"])), asked)


def feed_of(
    kinds: Sequence[str] = (), targets: Iterable[Any] = (), actors: Iterable[Any] = ()
) -> FeedTopic:
    """The topic of a feed of activities (by name), of objects and of actors; without any, of all.

    Raises ``LookupError`` for an unknown name and ``ValueError`` for more than a topic can name.
    """
    entries = [registry.activities.get(kind) for kind in kinds]
    name = ":".join(["feed", ",".join(map(registry.activities.shortest, entries))]).rstrip(":")
    given = {"target": targets, "actor": actors}
    named = {
        word: [party for one in ones for party in parties_of(one)] for word, ones in given.items()
    }
    for word, objects in named.items():
        if len(objects) > MAX_PARTIES:
            raise ValueError(
                f"A feed of {len(objects)} objects as {word}: {MAX_PARTIES} are the most. For "
                "more, declare an activity whose target is what they have in common."
            )
    query = urlencode(
        [(word, ":".join(party)) for word, objects in named.items() for party in objects],
        safe=":",
    ).replace("~", "%7E")
    asked = f"{name}?{query}" if query else name
    if len(asked) > MAX_LENGTH - len("~") - 43:
        raise ValueError(f"A feed of so many objects has a name of {len(asked)} characters.")
    return _feed(asked)


def _of_room(room: str) -> Meter:
    """The declaration of a room; where there are several, one that everybody may read."""
    found = [
        Meter(gauge)
        for gauge in registry.gauges
        if gauge.model is None
        and isinstance(gauge.declared, Online)
        and (gauge.declared.room or SITE) == room
    ]
    return max(found, key=lambda meter: meter.entry.declared.public)


def granted(name: str, user: Callable[[], Any]) -> Topic:
    """The topic of a token or a plain name, if this viewer may have it.

    ``user`` is called only where it matters who asks. Raises ``TopicRefused``, which tells
    nothing about whether the topic exists.
    """
    if len(name) > MAX_LENGTH:
        raise TopicRefused(name)
    if name == PROGRESS:
        return _own_progress(user())
    signed = False
    if SEPARATOR in name:
        # A plain topic may have the sign in its key.
        with suppress(BadSignature):
            name, signed = _signer().unsign(name), True
    topic = parse(name)
    assert not isinstance(topic, ProgressTopic)
    if isinstance(topic, Reading) and not signed:
        # What one may cost, and how many there are, the pages decide that show them.
        raise TopicRefused(name)
    if isinstance(topic, FeedTopic):
        return seen_by(topic, user, signed)
    if _open(topic) or (signed and not personal(topic)):
        return topic
    if may_read(_entry(topic), topic.scope, user()):
        return topic
    raise TopicRefused(name)


def seen_by(topic: FeedTopic, user: Callable[[], Any], shown: bool) -> FeedTopic:
    """A feed as a viewer sees it: what it names they must all be allowed to see; of all kinds it
    has those that they may. ``shown`` says that a template shows it to them."""
    asked: list[Any] = []

    def asking() -> Any:
        asked[:] = asked or [user()]
        return asked[0]

    entries = [
        entry
        for entry in registry.activities
        if topic.selection.kinds is None or entry.full_name in topic.selection.kinds
    ]
    visible = [entry for entry in entries if may_see(entry, asking, shown)]
    narrowed = len(visible) < len(entries)
    if (narrowed and topic.selection.kinds is not None) or (entries and not visible):
        raise TopicRefused(topic.asked)
    selection = topic.selection
    if narrowed:
        selection = replace(selection, kinds=tuple(entry.full_name for entry in visible))
    viewer = Viewer(asking()).key if judged(visible) else None
    return replace(topic, selection=selection, narrowed=narrowed, viewer=viewer, judged=bool(asked))


def _own_progress(user: Any) -> ProgressTopic:
    if user is None or not user.is_authenticated or not user.is_active:
        raise TopicRefused(PROGRESS)
    return ProgressTopic(key_of(user))


def said(topic: Topic) -> str:
    """What a page calls a topic."""
    if isinstance(topic, FeedTopic):
        return topic.asked
    return PROGRESS if isinstance(topic, ProgressTopic) else str(topic)


def _entry(topic: CounterTopic | OnlineTopic | Reading) -> CounterEntry | GaugeEntry:
    return topic.meter.entry if isinstance(topic, OnlineTopic) else topic.counter.entry


def shown(name: str) -> str:
    """How a token or plain name is called in an answer: without its signature."""
    return TOKEN.sub("", name)


def _open(topic: CounterTopic | OnlineTopic | Reading) -> bool:
    return _entry(topic).declared.public


def personal(topic: Topic) -> bool:
    """Whether a topic belongs to a person: judged by the session, again and again."""
    if isinstance(topic, FeedTopic):
        return topic.judged
    if isinstance(topic, ProgressTopic):
        return True
    entry = _entry(topic)
    # Lines are about all people; a page may show them to whom it likes, as it may a feed.
    whose = isinstance(topic, LinesTopic) or not is_per_user(entry)
    return not entry.declared.public and (entry.declared.audience is not None or not whose)


def is_per_user(entry: CounterEntry | GaugeEntry) -> bool:
    """Whether each number of the counter is about one user."""
    return _user_label() in models_of(entry)


def _user_label() -> str:
    return get_user_model()._meta.label_lower


def models_of(entry: CounterEntry | GaugeEntry) -> list[str]:
    """The label of the model of each key of a number; "" if it is about no object."""
    if isinstance(entry, GaugeEntry):
        return [] if entry.model is None else [entry.model._meta.label_lower]
    if entry.declared.per is None:
        return []
    if entry.activity is None:
        return measure_of(entry).scope_models
    return [party(entry.activity, str(entry.declared.per))]


def _keys(entry: CounterEntry | GaugeEntry, scope: str) -> list[tuple[str, str, Field]]:
    """(model, key, field that it is a value of) for each key of a scope."""
    models = models_of(entry)
    if isinstance(entry, GaugeEntry):
        return [(model, scope, apps.get_model(model)._meta.pk) for model in models]
    keys = split(scope) if len(models) > 1 else [scope]
    fields = list(measure_of(entry).scope_fields.values())
    if entry.activity is not None:
        fields = [apps.get_model(models[0])._meta.pk] if models[0] else fields
    return list(zip(models, keys, fields, strict=True))


def _of(entry: CounterEntry | GaugeEntry, scope: str) -> Any:
    """What a number is about, for ``audience``: the object of a foreign key, the value of any
    other field, a tuple of them for several; None for the site, and where there is no object."""
    if not models_of(entry) or not scope:
        return None
    found = [_object(*key) for key in _keys(entry, scope)]
    if len(found) == 1:
        return found[0]
    return None if None in found else tuple(found)


def _object(label: str, key: str, field: Field) -> Any:
    if not label:
        return key
    return apps.get_model(label)._base_manager.filter(**{field.attname: key}).first()


def _own(entry: CounterEntry | GaugeEntry, scope: str, user: Any) -> bool:
    """Whether a number is about this user."""
    keys = [(key, field) for label, key, field in _keys(entry, scope) if label == _user_label()]
    return bool(keys) and all(text_of(field, user) == key for key, field in keys)


def may_read(entry: CounterEntry | GaugeEntry, scope: str, user: Any) -> bool:
    """Whether a user may read a counter's number without having been shown it.

    Public counters: everybody. Else ``audience`` decides if there is one. Else staff, and the
    person whom a number per user is about.
    """
    declared = entry.declared
    if declared.public:
        return True
    if declared.audience is not None:
        of = _of(entry, scope)
        # Where there is no object there is nothing to judge, and nothing to see.
        return (of is not None or not models_of(entry)) and bool(declared.audience(user, of))
    if user is None or not user.is_authenticated or not user.is_active:
        return False
    if user.is_staff:
        return True
    return bool(scope) and _own(entry, scope, user)
