"""Audiences: the same answer in a template, over a socket and over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.template import Context, Template
from rest_framework.test import APIClient

from livecounters import feed
from livecounters.audience import Viewer, judged, seen
from livecounters.exceptions import TopicRefused
from livecounters.hub import Hub
from livecounters.models import ActivityEvent
from livecounters.readout import read_out
from livecounters.registry import registry
from livecounters.testing import captured_frames
from livecounters.topics import FeedTopic, feed_of, granted, personal, said, seen_by, sign
from tests.host.club import declared, happen
from tests.host.models import Quiz

pytestmark = pytest.mark.django_db

CLUB = "joined warned watched"


@pytest.fixture(autouse=True)
def club() -> Iterator[None]:
    with declared():
        yield


@pytest.fixture
def viewers() -> dict[str, Any]:
    return {
        "nobody": AnonymousUser(),
        "member": User.objects.create(username="member"),
        "staff": User.objects.create(username="staff", is_staff=True),
        "gone": User.objects.create(username="gone", is_active=False, is_staff=True),
    }


SEES = {
    "nobody": ["watched"],
    "member": ["joined", "watched"],
    "staff": ["hidden", "joined", "warned", "watched"],
    "gone": ["watched"],
}


@pytest.fixture(autouse=True)
def happened(viewers: dict[str, Any]) -> None:
    happen("joined", target_label="joined")
    happen("warned", target_label="warned")
    for label, published in (("watched", True), ("hidden", False)):
        quiz = Quiz.objects.create(title=label, published=published)
        happen("watched", of=quiz, target_label=label)
    feed.number()


@pytest.mark.parametrize("who", SEES)
def test_over_http(viewers: dict[str, Any], who: str) -> None:
    client = APIClient()
    if viewers[who].is_authenticated:
        client.force_authenticate(viewers[who])

    answer = client.get("/live/events/")
    assert sorted(event["target"] for event in answer.json()["results"]) == SEES[who]
    assert "private" in answer["Cache-Control"]
    assert {"Cookie", "Authorization"} <= set(answer["Vary"].replace(" ", "").split(","))
    kind = client.get("/live/events/", {"kind": "warned"})
    assert kind.status_code == (200 if who == "staff" else 404)


@pytest.mark.parametrize("who", SEES)
def test_in_a_template(viewers: dict[str, Any], who: str) -> None:
    context = Context({"user": viewers[who] if who != "gone" else AnonymousUser()})

    page = Template("{% load livecounters %}{% live_feed %}").render(context)
    assert ("warned" in page) is (who == "staff")
    assert page.count("data-seq") == len(SEES[who])
    narrow = Template('{% load livecounters %}{% live_feed kinds="warned" %}').render(context)
    assert narrow.count("data-seq") == (1 if who == "staff" else 0)


@pytest.mark.parametrize("who", SEES)
def test_over_a_socket_and_while_polling(viewers: dict[str, Any], who: str) -> None:
    # What a template signed for one is no pass for another.
    token = sign(seen_by(feed_of(), lambda: viewers["staff"], shown=True))
    quiz = Quiz.objects.create(title="more", published=False)
    with captured_frames(token, user=viewers[who]) as page:
        happen("warned", target_label="warned")
        happen("joined", target_label="joined")
        happen("watched", of=quiz, target_label="hidden")
    assert sorted(event["target"] for event in page.first[-1]["events"]) == SEES[who]
    told = sorted(event["target"] for event in page.events())
    assert told == [target for target in SEES[who] if target != "watched"]

    client = APIClient()
    if viewers[who].is_authenticated:
        client.force_authenticate(viewers[who])
    polled = client.get("/live/snapshot/", {"topic": token}).json()["events"]["feed"]
    assert len(polled) == len(SEES[who]) + len(told)


def test_who_sees_the_same_shares_a_topic(viewers: dict[str, Any]) -> None:
    other = User.objects.create(username="other")
    token = sign(feed_of(["joined"]))

    one, two = (granted(token, lambda user=user: user) for user in (viewers["member"], other))
    assert str(one) == str(two) == "feed:joined"
    assert personal(one)
    with pytest.raises(TopicRefused):
        granted(token, AnonymousUser)
    mixed = [granted("feed", lambda user=user: user) for user in (viewers["member"], other)]
    assert {said(topic) for topic in mixed} == {"feed"}
    # A function decides for each of them.
    assert len({str(topic) for topic in mixed}) == 2


def test_a_frame_is_encoded_once_for_an_audience(viewers: dict[str, Any]) -> None:
    class Socket:
        language = "en"

        def write(self, text: str, replaces: Any = None) -> None: ...

    hub, topics = Hub(0), {}
    people = [User.objects.create(username=f"u{n}") for n in range(20)]
    for person in people:
        topic = seen_by(feed_of(["joined", "finished"]), lambda person=person: person, shown=True)
        topics[str(topic)] = topic
        hub.follow_feed(Socket(), str(topic), None, None, said(topic))
    hub.take(read_out([], {}, topics, feed.Place("", 0)))
    happen("joined")
    place = feed.number()

    ((text, sockets, _),) = hub.take(
        read_out([], topics, {}, feed.Place(place.epoch, place.seq - 1))
    )
    assert len(sockets) == 20
    assert json.loads(text)["topic"] == "feed:joined,finished"


def test_no_query_for_each_viewer(django_assert_num_queries: Any) -> None:
    people = [User.objects.create(username=f"u{n}") for n in range(9)]
    rows = list(ActivityEvent.objects.filter(seq__gt=0))

    with django_assert_num_queries(2):
        known = Viewer.of({str(person.pk) for person in people} | {"", "no key"})
        may = seen(rows, known.values())

    assert len(known) == 11
    assert {len(ids) for ids in may.values()} == {3}
    assert judged(registry.activities)
    assert isinstance(granted("feed", AnonymousUser), FeedTopic)
