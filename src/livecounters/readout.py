"""What the relay reads for the hub, all of one moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import override

from livecounters import (
    awards,
    breakdowns,
    charts,
    feed,
    leaderboards,
    ledger,
    meters,
    numbers,
    timeline,
)
from livecounters.attainment import progress
from livecounters.audience import Viewer, seen
from livecounters.feed import Place, iso
from livecounters.frames import plain
from livecounters.gauges import Gauge
from livecounters.hub import RING, ReadOut, Says
from livecounters.meters import Meter
from livecounters.models import ActivityEvent
from livecounters.numbers import Question
from livecounters.people import users
from livecounters.readers import Counter, aware
from livecounters.readings import TOP, Reading
from livecounters.selection import EVERYTHING, Selection
from livecounters.topics import (
    CounterTopic,
    FeedTopic,
    LinesTopic,
    OnlineTopic,
    ProgressTopic,
    SeriesTopic,
    Topic,
)

__all__ = ["BURST", "newer", "newest", "read_out", "values_of"]

BURST = 10 * RING
"""So many events at once are not told one by one; the feeds are sent anew."""


def read_out(
    due: Sequence[Topic],
    known: Mapping[str, Topic],
    unknown: Mapping[str, Topic],
    since: Place,
    moved: bool = True,
) -> ReadOut:
    """Read the place of the stream first, then everything up to it: nothing falls between. A stream
    that has not ``moved`` since a place is not asked where it is."""
    now = timezone.now()
    place = feed.head() if moved else since
    new = _new(place, since) if known else []
    if new is None:
        new, unknown, known = [], {**unknown, **known}, {}
    events: Mapping[str, list[Says]] = _told(new, known, place)
    whole = {name: newest(topic, place) for name, topic in unknown.items()}
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
    pictures = _not_paused([t for t in topics if isinstance(t, Reading)])
    drawn = [topic for topic in pictures if isinstance(topic, SeriesTopic)]
    series = charts.read([topic.chart for topic in drawn], now)
    values |= {str(topic): one.as_json() for topic, one in zip(drawn, series, strict=True)}
    values |= {
        str(topic): _lines_of(topic, now) for topic in pictures if isinstance(topic, LinesTopic)
    }
    return values


def _not_paused(topics: Sequence[Reading]) -> list[Reading]:
    measures = [one.counter.measure for one in topics if isinstance(one.counter, Counter)]
    paused = ledger.paused(measures)
    return [topic for topic in topics if topic.origin[0] not in paused]


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
    user = next(users([person]), None)
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


def _new(
    place: Place, since: Place, selection: Selection = EVERYTHING
) -> list[ActivityEvent] | None:
    """The events between two places; ``None`` if they are not to be told one by one."""
    if place.epoch != since.epoch:
        return None
    new = feed.newer(since.seq, BURST, selection) if place.seq > since.seq else []
    if new is None or len(new) == BURST:
        return None
    return [row for row in new if (row.seq or 0) <= place.seq]


def newer(topic: FeedTopic, since: Place, place: Place) -> list[Any] | None:
    """What is new in one feed between two places; ``None`` if it is to be read from the
    beginning."""
    new = _new(place, since, topic.selection)
    return None if new is None else _told(new, {"": topic}, place)[""]


def _told(
    new: Sequence[ActivityEvent], topics: Mapping[str, Topic], place: Place
) -> dict[str, list[Any]]:
    """What of it each feed tells."""
    feeds = {name: topic for name, topic in topics.items() if isinstance(topic, FeedTopic)}
    viewers = Viewer.of({topic.viewer for topic in feeds.values() if topic.viewer is not None})
    may = seen(new, viewers.values()) if new and viewers else {}
    asked = {}
    for name, topic in feeds.items():
        mine = [row for row in new if topic.selection.has(row)]
        if topic.viewer is not None and mine:
            mine = [row for row in mine if row.pk in may[viewers[topic.viewer]]]
        asked[name] = mine, topic.selection
    return timeline.tell(asked, place.seq)


def newest(topic: Topic, place: Place) -> list[Any]:
    """A feed from its beginning to a place, oldest first."""
    assert isinstance(topic, FeedTopic)
    viewer = None if topic.viewer is None else Viewer.of({topic.viewer})[topic.viewer]
    found = timeline.page(RING, topic.selection, at=place, viewer=viewer)
    return found.events[::-1]
