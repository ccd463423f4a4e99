"""The timeline: what belongs together is one item, told once, on whatever page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from livecounters import feed, timeline
from livecounters.activities import Group
from livecounters.audience import Viewer
from livecounters.forgetting import Person, forget
from livecounters.models import ActivityEvent
from livecounters.selection import Selection, party_of
from livecounters.testing import captured_frames
from tests.host.club import NOON, ClubLive, declared, happen
from tests.host.models import Course, Quiz, Tag

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def club() -> Iterator[None]:
    with declared():
        yield


@pytest.fixture
def people() -> list[User]:
    return [User.objects.create(username=name) for name in ("ada", "bob", "eve", "zoe")]


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


@pytest.fixture
def titled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Quiz, "__str__", lambda self: self.title, raising=False)


def texts(limit: int = 50, **given: Any) -> list[str]:
    feed.number()
    return [event.text for event in timeline.page(limit, **given).events]


@pytest.mark.usefixtures("titled")
def test_several_are_told_as_one(people: list[User], quiz: Quiz) -> None:
    happen("finished", people[0], of=quiz)
    assert texts() == ["ada finished Fractions"]
    happen("finished", people[0], of=quiz)
    assert texts() == ["ada finished Fractions"]
    happen("finished", people[1], of=quiz)
    assert texts() == ["bob and 1 other finished Fractions"]
    happen("finished", *people[2:], None, of=quiz)
    assert texts() == ["Someone and 4 others finished Fractions"]
    happen("finished", people[0], of=quiz, at=NOON + dt.timedelta(hours=1))
    assert texts() == ["ada finished Fractions", "Someone and 4 others finished Fractions"]


def test_by_whom_and_how_many_times(people: list[User], quiz: Quiz) -> None:
    for other in (quiz, Quiz.objects.create(title="Algebra")):
        happen("practised", *people[:2], people[0], of=other)

    assert texts() == ["ada practised 4 times", "bob practised 2 times"]


@pytest.mark.usefixtures("titled")
def test_another_rule_tells_old_events_anew(
    people: list[User], quiz: Quiz, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen("finished", *people, of=quiz)
    assert len(texts()) == 1

    monkeypatch.setitem(ClubLive.finished.__dict__, "group", None)
    assert texts() == [f"{name} finished Fractions" for name in ("zoe", "eve", "bob", "ada")]
    rule = Group("{count} times {target}", by=())
    monkeypatch.setitem(ClubLive.finished.__dict__, "group", rule)
    assert texts() == ["4 times Fractions"]


def test_in_every_language(people: list[User], quiz: Quiz) -> None:
    happen("finished", *people, of=quiz)
    feed.number()

    (event,) = timeline.newest(5)
    with translation.override("de"):
        assert event.text.startswith("zoe and 3 others")
    assert event.say("fr")["count"] == 4


@pytest.mark.usefixtures("titled")
def test_whoever_is_forgotten_leaves_the_group(people: list[User], quiz: Quiz) -> None:
    happen("finished", *people, of=quiz)
    feed.number()
    with captured_frames("feed") as page:
        forget(Person.of(people[3]))

    told = next(frame for frame in page.frames if frame["op"] == "reset")["events"]
    assert [event["text"] for event in told] == [
        "eve and 2 others finished Fractions",
        "Someone finished Fractions",
    ]
    assert "zoe" not in str(told)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_tell_each_once_whatever_happens_meanwhile(
    people: list[User], quiz: Quiz, limit: int
) -> None:
    quizzes = [Quiz.objects.create(title=f"Quiz {n}") for n in range(9)]
    for each in [*quizzes, *quizzes[:5], quizzes[2]]:
        happen("finished", people[0], people[1], of=each)
        happen("visited", people[2], target_label=str(each.pk))
    place = feed.number()
    whole = timeline.page(100, at=place).events
    assert len(whole) == 9 + 15

    found, cursor = [], None
    while True:
        page = timeline.page(limit, cursor=cursor)
        found += page.events
        cursor = page.older
        if cursor is None:
            break
        happen("finished", people[3], of=quizzes[7])
        feed.number()

    assert [event.seq for event in found] == [event.seq for event in whole]
    assert [event.count for event in found] == [event.count for event in whole]


@pytest.mark.parametrize("storms", [1, 3])
def test_behind_a_storm(
    people: list[User], quiz: Quiz, storms: int, django_assert_max_num_queries: Any
) -> None:
    happen("visited", people[0], target_label="before the storm")
    quizzes = [Quiz.objects.create(title="x") for _ in range(storms)]
    for _ in range(1000 // storms):
        for each in quizzes:
            happen("finished", people[1], of=each)
    feed.number()

    with django_assert_max_num_queries(5):
        page = timeline.page(10)

    assert [event.count for event in page.events] == [1000 // storms] * storms + [1]
    assert page.older is None


def test_a_storm_is_few_frames(people: list[User], quiz: Quiz) -> None:
    crowd = [User.objects.create(username=f"u{n}") for n in range(100)]
    with captured_frames("feed:finished") as page:
        for _ in range(10):
            happen("finished", *crowd, of=quiz)
            page.look()

    assert len(page.frames) == 10
    assert [len(frame["events"]) for frame in page.frames] == [1] * 10
    last = page.frames[-1]["events"][0]
    assert (last["count"], last["others"]) == (1000, 99)
    assert len({frame["events"][0]["key"] for frame in page.frames}) == 1


def test_page_and_socket_tell_alike(people: list[User], quiz: Quiz) -> None:
    happen("finished", people[0], of=quiz)
    feed.number()
    with captured_frames("feed:finished") as page:
        happen("finished", people[1], of=quiz)

    assert [event.as_json() for event in timeline.newest(5)] == page.events("feed:finished")


def test_three_queries_for_any_mix_of_targets(
    people: list[User], quiz: Quiz, django_assert_max_num_queries: Any
) -> None:
    for target in (quiz, Course.objects.create(title="c"), Tag.objects.create(slug="t"), people[0]):
        for kind in ("finished", "practised", "joined"):
            happen(kind, *people, of=target)
    feed.number()

    with django_assert_max_num_queries(3):
        assert len(timeline.page(10).events) == 10


# Objects and actors


def test_the_feed_of_an_object_and_of_an_actor(people: list[User], quiz: Quiz) -> None:
    other = Quiz.objects.create(title="Algebra")
    happen("finished", *people, of=quiz)
    happen("finished", people[0], of=other)
    of_quiz = Selection(targets=(party_of(quiz),))
    of_ada = Selection(actors=(party_of(people[0]),))
    of_both = Selection(targets=(party_of(quiz), party_of(other)))
    feed.number()

    def counts(selection: Selection) -> list[int]:
        return [event.count for event in timeline.newest(9, selection)]

    assert (counts(of_quiz), counts(of_ada), counts(of_both)) == ([4], [1, 1], [1, 4])
    # What of it is in this feed: others are not in the feed of Ada.
    assert {event.others for event in timeline.newest(9, of_ada)} == {0}


def test_the_feed_of_an_object_comes_alive(people: list[User], quiz: Quiz) -> None:
    other = Quiz.objects.create(title="Algebra")
    name = f"feed:finished?target=host.quiz:{quiz.pk}"
    with captured_frames(name) as page:
        happen("finished", people[0], of=other)
        happen("finished", people[1], of=quiz)

    assert [event["actor"] for event in page.events(name)] == ["bob"]


# What somebody else wrote


@pytest.mark.parametrize(
    "label", ["<b>x</b>", "</script>", "javascript:alert(1)", "{0}{actor}", "%(x)s %d", "\x07"]
)
def test_hostile_texts_are_texts(label: str) -> None:
    happen("visited", target_label=label)

    assert texts() == [f"Someone visited {label}"]


def test_what_turns_the_direction_is_left_out_and_what_is_long_is_cut() -> None:
    happen("visited", target_label="a\u202egnp.exe\u2066")
    happen("visited", target_label="x" * 1_000_000, data={"note": "y" * 1_000_000})

    long, turned = texts()
    assert turned == "Someone visited agnp.exe"
    assert long == "Someone visited " + "x" * 299 + "…"
    assert len(str(timeline.newest(1)[0].as_json())) < 1_500


# One group, and none


def test_the_events_of_a_group(people: list[User], quiz: Quiz) -> None:
    happen("finished", *people, of=quiz)
    happen("visited", people[0])
    feed.number()

    together = timeline.together(2)
    assert [event.seq for event in timeline.page(9, of=together).events] == [4, 3, 2, 1]
    assert [event.seq for event in timeline.page(9, of=timeline.together(5)).events] == [5]
    assert timeline.together(77) is None


def test_only_what_a_viewer_may_see(people: list[User]) -> None:
    shown, hidden = (Quiz.objects.create(title="q", published=here) for here in (True, False))
    happen("watched", *people, of=shown)
    happen("watched", *people, of=hidden)
    happen("watched", people[0], target_model="host.quiz", target="777", target_label="gone")
    feed.number()
    kinds = Selection(("host.watched",))
    staff = User.objects.create(username="staff", is_staff=True)

    assert len(timeline.page(99, kinds, viewer=Viewer(None)).events) == 4
    assert len(timeline.page(99, kinds, viewer=Viewer(staff)).events) == 8
    page = timeline.page(3, kinds, viewer=Viewer(None))
    assert page.older is not None
    assert len(timeline.page(3, kinds, page.older, viewer=Viewer(None)).events) == 1


def test_nothing_is_stored(people: list[User], quiz: Quiz) -> None:
    happen("finished", *people, of=quiz)
    before = list(ActivityEvent.objects.values())
    texts()

    found = list(ActivityEvent.objects.values())
    assert [one | {"seq": None} for one in found] == before
