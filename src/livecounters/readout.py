"""What the relay reads for the hub, all of one moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import override

from livecounters import awards, breakdowns, charts, feed, leaderboards, meters, numbers
from livecounters.attainment import progress
from livecounters.feed import Event, Place, iso
from livecounters.frames import plain
from livecounters.gauges import Gauge
from livecounters.hub import RING, ReadOut, Says
from livecounters.meters import Meter
from livecounters.numbers import Question
from livecounters.readers import aware
from livecounters.readings import TOP
from livecounters.registry import registry
from livecounters.topics import (
    CounterTopic,
    FeedTopic,
    LinesTopic,
    OnlineTopic,
    ProgressTopic,
    SeriesTopic,
    Topic,
)

__all__ = ["BURST", "read_out", "values_of"]

BURST = 10 * RING
"""So many events at once are not told one by one; the feeds are sent anew."""


def read_out(
    due: Sequence[Topic],
    known: Mapping[str, Topic],
    unknown: Mapping[str, Topic],
    since: Place,
) -> ReadOut:
    """Read the place of the stream first, then everything up to it: nothing falls between."""
    now = timezone.now()
    place = feed.head()
    new = _new(place, since) if known else []
    if new is None:
        new, unknown, known = [], {**unknown, **known}, {}
    events: dict[str, list[Says]] = {
        name: [e for e in new if _tells(topic, e)] for name, topic in known.items()
    }
    whole = {name: _newest(topic, place) for name, topic in unknown.items()}
    pruned = feed.pruned() if unknown else 0
    values = values_of(due, now)
    return ReadOut(place.epoch, place.seq, iso(now), values, events, whole, pruned)


def values_of(topics: Sequence[Topic], now: dt.datetime) -> dict[str, Any]:
    """The values of numbers as they travel, by topic. Counters that are paused are left out. So is
    who is online while the presence store cannot be asked: what was said last is truer than
    nothing."""
    asked = [topic for topic in topics if isinstance(topic, CounterTopic)]
    found, paused = numbers.answers([Question(t.counter, t.scope) for t in asked], now)
    values = {
        str(topic): plain(value)
        for topic, value in zip(asked, found, strict=True)
        if (value is not None or not _looks(topic)) and topic.origin[0] not in paused
    }
    values |= {
        str(topic): _progress_of(topic.person, now)
        for topic in topics
        if isinstance(topic, ProgressTopic)
    }
    rooms = [topic for topic in topics if isinstance(topic, OnlineTopic)]
    here = meters.counts({topic.room for topic in rooms}, aware(now).timestamp())
    values |= {str(topic): here[topic.room]._asdict() for topic in rooms if topic.room in here}
    drawn = [topic for topic in topics if isinstance(topic, SeriesTopic)]
    series = charts.read([topic.chart for topic in drawn], now)
    values |= {str(topic): one.as_json() for topic, one in zip(drawn, series, strict=True)}
    values |= {
        str(topic): _lines_of(topic, now) for topic in topics if isinstance(topic, LinesTopic)
    }
    return values


def _lines_of(topic: LinesTopic, now: dt.datetime) -> dict[str, Any]:
    read: Any = leaderboards.board if topic.family == TOP else breakdowns.parts
    with override(topic.language):
        found = read(
            topic.counter,
            topic.limit,
            within=topic.within or None,
            window=topic.window,
            at=now,
        )
        return {"lines": [line.as_json() for line in found]}


def _progress_of(person: str, now: dt.datetime) -> dict[str, Any]:
    """What a person has attained, and what of it is news to them."""
    users: Any = get_user_model()._default_manager
    user = users.filter(pk=get_user_model()._meta.pk.to_python(person)).first()
    newest = awards.achievements(person).values_list("pk", flat=True).first()
    return {
        "progress": {} if user is None else _plain(progress(user, aware(now)).as_json()),
        "newest": newest,
        "unseen": awards.unseen(person),
        "unread": awards.unread(person),
    }


def _plain(found: Any) -> Any:
    """As JSON says it, decimals as text."""
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items()}
    return found if isinstance(found, (str, bool)) else plain(found)


def _looks(topic: CounterTopic) -> bool:
    reader = topic.counter
    return isinstance(reader, Meter) and not isinstance(reader.entry.declared, Gauge)


def _new(place: Place, since: Place) -> list[Event] | None:
    """The events between two places; ``None`` if they are not to be told one by one."""
    if place.epoch != since.epoch:
        return None
    new = feed.newer(since.seq, BURST) if place.seq > since.seq else []
    if new is None or len(new) == BURST:
        return None
    return [event for event in new if event.seq <= place.seq]


def _tells(topic: Topic, event: Event) -> bool:
    return isinstance(topic, FeedTopic) and (
        topic.activity is None or event.kind == registry.activities.shortest(topic.activity)
    )


def _newest(topic: Topic, place: Place) -> list[Any]:
    assert isinstance(topic, FeedTopic)
    return feed.newest(RING, topic.kinds, before=place.seq + 1)[::-1]
