"""Targets: found in bulk, and never led to where it would do harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from livecounters import feed, timeline
from livecounters.models import ActivityEvent
from livecounters.targets import address, found
from tests.host.club import declared, happen
from tests.host.models import Attempt, Course, Quiz, Tag

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def club() -> Iterator[None]:
    with declared():
        yield


def of_course(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    monkeypatch.setattr(Course, "get_absolute_url", answer, raising=False)


def test_one_query_for_each_model(django_assert_num_queries: Any) -> None:
    quizzes = [Quiz.objects.create(title="q") for _ in range(20)]
    courses = [Course.objects.create(title="c") for _ in range(20)]
    tag = Tag.objects.create(slug="a/b~c")
    for each in (*quizzes, *courses, tag):
        happen("visited", of=each)
    happen("visited", target_model="host.quiz", target="987654")
    happen("visited", target_model="host.quiz", target="no key")
    happen("visited", target_model="gone.model", target="1")
    quizzes[0].delete()

    with django_assert_num_queries(4):
        targets = found(ActivityEvent.objects.all())

    assert set(targets.values()) == {*quizzes[1:], *courses, tag}


def test_of_events_that_rows_told() -> None:
    quiz = Quiz.objects.create(title="q")
    Attempt.objects.create(quiz=quiz, completed=True)

    assert quiz in found(ActivityEvent.objects.filter(kind="host.quiz_completed")).values()


def test_it_leads_there_while_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    of_course(monkeypatch, lambda self: f"/courses/{self.title}/")
    course = Course.objects.create(title="maths")
    happen("visited", of=course)
    happen("finished", of=course)
    feed.number()
    assert [event.url for event in timeline.newest(2)] == [None, "/courses/maths/"]

    course.delete()
    assert [event.url for event in timeline.newest(2)] == [None, None]
    assert timeline.newest(2)[1].text.startswith("Someone visited Course")


@pytest.mark.parametrize(
    "url",
    ["/a/?b=c#d", "https://example.org/", "HTTP://x", "//cdn.example.org/x", ["a", "b"][0]],
)
def test_good_addresses(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    of_course(monkeypatch, lambda self: url)

    assert address(Course()) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "\\\\evil",
        "http://[",
        "",
        None,
        "/" + "x" * 1_000_000,
    ],
)
def test_other_addresses_are_none(monkeypatch: pytest.MonkeyPatch, url: str | None) -> None:
    of_course(monkeypatch, lambda self: url)

    assert address(Course()) is None


def test_a_target_that_has_no_address_costs_no_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    of_course(monkeypatch, lambda self: 1 / 0)

    assert address(Course()) is None
    assert "host.Course has no address" in caplog.text
    assert address(Quiz()) is None
