"""A page's topics in one answer: what the socket says, over HTTP, for those without one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from livecounters import feed
from livecounters.events import Event
from livecounters.exceptions import TopicRefused
from livecounters.feed import Place
from livecounters.hub import RING
from livecounters.readout import newer, newest, values_of
from livecounters.topics import FeedTopic, Topic, granted, said, shown

__all__ = ["take"]


def take(
    names: Iterable[str], user: Callable[[], Any], seen: Place, now: dt.datetime
) -> dict[str, Any]:
    """The snapshot of the topics that this viewer may have; the others are named.

    ``seen`` is what the page has seen: feeds answer only what is newer, unless they are in
    ``reset``. Events that nobody has numbered yet are numbered first, so that a site without a
    pump has a feed too.
    """
    topics: list[Topic] = []
    unavailable = []
    for name in dict.fromkeys(names):
        try:
            topics.append(granted(name, user))
        except TopicRefused:
            unavailable.append(shown(name))
    place = feed.number()
    answer: dict[str, Any] = {
        "op": "snapshot",
        "values": _said(topics, now),
        "events": {},
        "reset": [],
        "unavailable": unavailable,
        "at": feed.iso(now),
        "epoch": place.epoch,
        "seq": place.seq,
    }
    for topic in topics:
        if isinstance(topic, FeedTopic):
            _add_feed(answer, topic, seen, place)
    return answer


def _said(topics: list[Topic], now: dt.datetime) -> dict[str, Any]:
    names = {str(topic): said(topic) for topic in topics}
    return {names[name]: value for name, value in values_of(topics, now).items()}


def _add_feed(answer: dict[str, Any], topic: FeedTopic, seen: Place, place: Place) -> None:
    events: list[Event] | None = None
    if seen.seq <= place.seq:
        events = newer(topic, seen, place)
    if events is None or len(events) > RING:
        events = newest(topic, place)
        answer["reset"].append(topic.asked)
    answer["events"][topic.asked] = [event.as_json() for event in events]
