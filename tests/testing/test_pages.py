"""What pages are sent, in the shapes of the wire."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation
from django.utils.translation import gettext

from livecounters import testing
from livecounters.exceptions import TopicRefused
from livecounters.topics import parse, sign
from tests.host.models import Attempt, Quiz

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def complete(**given: Any) -> Attempt:
    given = {"completed": True, "completed_at": timezone.now(), **given}
    quiz = Quiz.objects.get_or_create(title="Fractions")[0]
    return Attempt.objects.create(quiz=quiz, **given)


@pytest.mark.django_db
def test_what_a_page_is_sent() -> None:
    complete(user=User.objects.create(username="ada"))
    with testing.captured_frames("counter:attempts", "feed:quiz_completed") as page:
        complete(user=User.objects.create(username="grace"))

    assert [frame["op"] for frame in page.first] == ["reset", "values"]
    assert page.first[1]["values"] == {"counter:attempts": 1}
    told, counted = page.frames
    assert told["op"] == "events"
    assert [event["text"] for event in told["events"]] == ["grace just completed Fractions!"]
    assert counted.keys() == {"op", "values", "at", "epoch", "seq"}
    assert page.values == {"counter:attempts": 2}
    assert page.events("feed:quiz_completed") == told["events"]
    assert page.events() == []


@pytest.mark.django_db
def test_nothing_happens_and_nothing_is_sent() -> None:
    with testing.captured_frames("counter:attempts", "feed:quiz_completed") as page:
        complete(completed=False)

    assert page.frames == []
    assert page.values == {}


@pytest.mark.django_db
def test_looking_in_between() -> None:
    with testing.captured_frames("counter:attempts") as page:
        complete()
        page.look()
        complete()

    assert [frame["values"] for frame in page.frames] == [
        {"counter:attempts": 1},
        {"counter:attempts": 2},
    ]


@pytest.mark.django_db
def test_in_the_language_of_the_page() -> None:
    token = sign(parse("feed:perfect"))
    with translation.override("en"), testing.captured_frames(token, language="de") as page:
        complete(score=100)

    assert page.language == "de"
    with translation.override("de"):
        someone = gettext("Someone")
    assert page.events("feed:perfect")[0]["text"] == f"{someone} had everything right"


@pytest.mark.django_db
def test_only_what_the_viewer_may_have() -> None:
    ada, grace = (User.objects.create(username=name) for name in ("ada", "grace"))
    topic = f"counter:per_user:{ada.pk}"

    for viewer in (None, grace):
        refused = pytest.raises(TopicRefused, match=f"{topic}: .* Give a user who may, ")
        with refused, testing.captured_frames(topic, user=viewer):
            pass
    with testing.captured_frames(topic, user=ada) as page:
        complete(user=ada)
    assert page.values == {topic: 1}
