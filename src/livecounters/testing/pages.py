"""Open pages in tests: what they are sent."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.utils import translation

from livecounters import feed
from livecounters.hub import Hub
from livecounters.readout import read_out
from livecounters.topics import FeedTopic, Topic, granted, said

__all__ = ["Page", "captured_frames"]


class Page:
    """An open page: what it is sent, by the real hub, in the shapes of the wire."""

    def __init__(self, names: tuple[str, ...], user: Any, language: str) -> None:
        self.language = language
        self.first: list[dict[str, Any]] = []
        """What it was sent at once: a ``values`` frame, a ``reset`` for each feed."""
        self.frames: list[dict[str, Any]] = []
        """What it was sent since, in order."""
        self._hub = Hub(interval=0)
        self._topics: dict[str, Topic] = {}
        for name in names:
            self._follow(granted(name, lambda: user))
        self.look()
        self.first, self.frames = self.frames, []

    @property
    def values(self) -> dict[str, Any]:
        """The newest value of each topic that has changed."""
        found: dict[str, Any] = {}
        for frame in self.frames:
            found |= frame.get("values", {})
        return found

    def events(self, topic: str = "feed") -> list[dict[str, Any]]:
        """What was told in a feed, oldest first."""
        told = [frame["events"] for frame in self.frames if frame.get("topic") == topic]
        return [event for events in told for event in events]

    def look(self) -> None:
        """Take in what is to be sent by now; the end of the block does."""
        feed.number()
        self._hub.touch_all()
        due = [self._topics[name] for name in self._hub.due(0)]
        known = {name: self._topics[name] for name, one in self._hub.feeds.items() if one.known}
        unknown = {name: self._topics[name] for name in self._hub.unknown_feeds()}
        read = read_out(due, known, unknown, feed.Place(self._hub.epoch, self._hub.seq))
        for text, sockets, _ in self._hub.take(read):
            for socket in sockets:
                socket.write(text)

    def _follow(self, topic: Topic) -> None:
        name = str(topic)
        self._topics[name] = topic
        if isinstance(topic, FeedTopic):
            self._hub.follow_feed(self, name, None, None, said(topic))
        else:
            self._hub.follow_number(self, name, *topic.origin, said=said(topic))

    def write(self, text: str, replaces: Hashable = None) -> None:
        """As a socket: for the hub."""
        self.frames.append(json.loads(text))


@contextmanager
def captured_frames(*topics: str, user: Any = None, language: str = "") -> Iterator[Page]:
    """What a page that follows these topics is sent for what happens in the block.

    Topics are named or tokens. Raises ``TopicRefused`` for one that this ``user`` (default: a
    visitor who is not signed in) may not have. Inside a transaction it is what is sent when that
    is committed.
    """
    page = Page(topics, user, language or translation.get_language() or settings.LANGUAGE_CODE)
    yield page
    page.look()
