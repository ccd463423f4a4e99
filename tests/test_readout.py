"""What is read for the hub: the place first, then nothing beyond it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from livecounters import feed, readout
from livecounters.feed import Place
from livecounters.models import ActivityEvent
from livecounters.numbers import counters
from livecounters.topics import CounterTopic, FeedTopic, Topic, parse

pytestmark = pytest.mark.django_db


def happen(number: int, kind: str = "host.quiz_completed") -> Place:
    ActivityEvent.objects.bulk_create(
        [ActivityEvent(kind=kind, at=timezone.now()) for _ in range(number)]
    )
    return feed.number()


@pytest.fixture
def feeds() -> dict[str, Topic]:
    return {"feed": FeedTopic(), "feed:perfect": parse("feed:perfect")}


def test_only_what_is_new_for_each_feed(feeds: dict[str, Topic]) -> None:
    since = happen(2)
    happen(1)
    place = happen(1, "host.perfect")

    read = readout.read_out([], feeds, {}, since)

    assert (read.epoch, read.seq) == place
    assert [event.seq for event in read.events["feed"]] == [3, 4]
    assert [event.seq for event in read.events["feed:perfect"]] == [4]
    assert not read.whole


def test_a_feed_that_is_not_known_is_read_whole(feeds: dict[str, Topic]) -> None:
    place = happen(3)

    read = readout.read_out([], {}, feeds, Place("", 0))

    assert [event.seq for event in read.whole["feed"]] == [1, 2, 3]
    assert read.whole["feed:perfect"] == []
    assert read.seq == place.seq


def test_in_another_epoch_everything_is_read_whole(feeds: dict[str, Topic]) -> None:
    since = happen(2)
    feed.renumber("default")

    read = readout.read_out([], feeds, {}, since)

    assert set(read.whole) == set(feeds)
    assert not read.events


def test_a_burst_is_read_whole(feeds: dict[str, Topic], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readout, "BURST", 3)
    since = happen(1)
    happen(5)

    read = readout.read_out([], feeds, {}, since)

    assert [event.seq for event in read.whole["feed"]] == [1, 2, 3, 4, 5, 6]


def test_numbers_are_written_plainly() -> None:
    topics = [CounterTopic(counters[name], "") for name in ("attempts", "revenue", "score_avg")]

    read = readout.read_out(topics, {}, {}, Place("", 0))

    assert read.values == {
        "counter:attempts": 0,
        "counter:revenue": "0.00",
        "counter:score_avg": None,
    }
    assert read.at.endswith("Z")


def test_a_stream_that_has_not_moved_is_not_asked(
    feeds: dict[str, Topic], django_assert_num_queries: Any
) -> None:
    place = happen(2)
    topics = [CounterTopic(counters["attempts"], "")]

    with django_assert_num_queries(1):
        read = readout.read_out(topics, feeds, {}, place, moved=False)

    assert (read.epoch, read.seq) == place
    assert read.values == {"counter:attempts": 0}
    assert not any(read.events.values())
