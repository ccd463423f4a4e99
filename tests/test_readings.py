"""Topics whose value is a whole picture: their names, how often they are sent, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

import livecounters as live
from livecounters.exceptions import TopicRefused
from livecounters.hub import Hub
from livecounters.leaderboards import mark_of
from livecounters.preferences import LEADERBOARD, set_preference
from livecounters.readings import SLOWEST, LinesTopic, SeriesTopic, parse
from livecounters.readout import values_of
from livecounters.registry import registry
from livecounters.topics import granted, personal, sign
from tests.host.models import Attempt, Quiz, Sale, Tag

pytestmark = pytest.mark.django_db


class Tiers(live.LiveModel):
    at = "completed_at"

    members = live.Count(per="quiz", window=live.last(days=7))
    by_tag = live.Count(per=("quiz__tags", "user"))
    teachers = live.Count(audience=lambda user, of: user.is_superuser)
    taught = live.Count(per="quiz", audience=lambda user, of: True)


class Room(live.LiveSite):
    hall = live.Online(room="hall")


@pytest.fixture(autouse=True)
def declared(db: None) -> Iterator[None]:
    registry.add(Attempt, Tiers)
    registry.add_site(Room)
    yield
    registry.remove(Tiers)
    registry.remove(Room)


def nobody() -> Any:
    raise AssertionError("asked who it is, though it does not matter")


def user(**given: Any) -> Any:
    return lambda: User(**given)


NAMES = [
    "series:12h:hour:attempts",
    "series:1440m:minute:host.attempts",
    "series:2000d:day:attempts",
    "series:12h:hour:per_quiz:7",
    "series:12h:hour:sales_per_tag:a:b~c/Ä 🎓",
    "series:12h:hour:hall",
    "breakdown:en:7d:10:members",
    "breakdown::ever:3:sales_per_tag",
    "breakdown:en:ever:3:by_tag:a:b~1c",
    "top:en:this_week:10:members",
    "top:de:30d:100:host.per_user",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_token_is_what_a_page_follows(name: str) -> None:
    topic = granted(sign(parse(name)), nobody)

    assert str(topic) == name
    with pytest.raises(TopicRefused):
        # What is public in single numbers is not public in pictures: those are dear.
        granted(name, user(pk=1, is_staff=True))
    with pytest.raises(TopicRefused):
        granted(sign(topic)[:-1], user(pk=1, is_staff=True))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_made_here_is_called_so(name: str) -> None:
    topic = parse(name)
    made = type(topic)(**(vars(topic) | {"asked": ""}))

    assert parse(str(made)) == type(topic)(**(vars(topic) | {"asked": str(made)}))


@pytest.mark.parametrize(
    "name",
    [
        "series",
        "series:12h:hour",
        "series:12h:hour:nothing",
        "series:12h:week:attempts",
        "series:today:hour:attempts",
        "series:0h:hour:attempts",
        "series:3000d:day:attempts",
        "series:1d:minute:attempts:7",
        "series:70d:hour:attempts",
        "series:12h:hour:per_quiz",
        "series:12h:hour:per_quiz:seven",
        "series:12h:hour:gifts",
        "breakdown:en:ever:10:attempts",
        "breakdown:en:ever:10:hall",
        "breakdown:en:ever:ten:members",
        "breakdown:en:soon:10:members",
        "breakdown:en:ever:10:by_tag",
        "breakdown:en:today:10:gifts",
        "top:en:ever:members",
        "top:en:ever:10:by_tag:a/b",
    ],
)
def test_what_is_no_topic(name: str) -> None:
    from django.core.signing import Signer

    token = Signer(sep="~", salt="livecounters.topics").sign(name)
    with pytest.raises(TopicRefused):
        granted(token, user(pk=1, is_staff=True))


def test_a_person_s_chart_is_judged_by_the_session() -> None:
    token = sign(parse("series:30d:day:per_user:7"))

    assert personal(parse("series:30d:day:per_user:7"))
    assert granted(token, user(pk=7))
    assert granted(token, user(pk=8, is_staff=True))
    for viewer in (user(pk=8), AnonymousUser):
        with pytest.raises(TopicRefused):
            granted(token, viewer)


def test_an_audience_decides_of_charts() -> None:
    token = sign(parse("series:12h:hour:teachers"))

    assert granted(token, user(pk=7, is_superuser=True))
    with pytest.raises(TopicRefused):
        granted(token, user(pk=7))


def test_a_page_may_show_lines_about_people_to_whom_it_likes() -> None:
    for name in ("top:en:ever:10:per_user", "breakdown:en:ever:10:per_user"):
        assert not personal(parse(name))
        assert granted(sign(parse(name)), nobody)


def test_where_an_audience_judges_each_object_lines_do_not_move() -> None:
    with pytest.raises(TopicRefused):
        granted(sign(parse("breakdown:en:ever:10:taught")), user(pk=7, is_staff=True))


# How often


@pytest.mark.parametrize(
    ("name", "interval", "steady"),
    [
        ("series:12h:hour:attempts", 1, SLOWEST),
        ("series:60m:minute:attempts", 1, 10),
        ("series:1440m:minute:attempts", 14.4, 14.4),
        ("series:2000d:day:attempts", 20, SLOWEST),
        ("series:12h:hour:hall", 10, 10),
        # Each of the people is read.
        ("series:12h:hour:learners", 10, SLOWEST),
        ("top:en:ever:10:per_user", 1, SLOWEST),
        ("breakdown:en:7d:10:members", 1, SLOWEST),
    ],
)
def test_the_longer_the_more_seldom(name: str, interval: float, steady: float) -> None:
    topic = parse(name)

    assert (topic.interval, topic.steady) == (interval, steady)


def test_a_series_is_about_its_object_and_lines_are_about_all() -> None:
    hub, socket = Hub(0.25), object()
    for name in ("series:12h:hour:per_quiz:7", "top:en:ever:10:per_quiz"):
        topic = parse(name)
        hub.follow_number(socket, name, *topic.origin, topic.interval, topic.steady)  # type: ignore[arg-type]
    measure = parse("top:en:ever:10:per_quiz").origin[0]
    assert len(hub.due(0)) == 2

    hub.touch({measure: ["8"]}, "", 0)
    assert hub.due(2) == ["top:en:ever:10:per_quiz"]
    hub.touch({measure: ["7"]}, "", 0)
    assert len(hub.due(4)) == 2


# What is said


def said(*names: str) -> dict[str, Any]:
    return values_of([parse(name) for name in names], timezone.now())


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


def complete(quiz: Quiz, number: int = 1, **given: Any) -> None:
    Attempt.objects.bulk_create(
        Attempt(quiz=quiz, completed=True, completed_at=timezone.now(), **given)
        for _ in range(number)
    )


def test_whole_pictures(quiz: Quiz) -> None:
    complete(quiz, 3)

    found = said("series:12h:hour:attempts", "breakdown:en:ever:5:per_quiz", "series:3h:hour:hall")

    assert found["series:12h:hour:attempts"]["values"] == [0] * 11 + [3]
    assert found["breakdown:en:ever:5:per_quiz"] == {
        "lines": [{"name": str(quiz), "value": 3, "share": 100.0, "bar": 100.0}]
    }
    assert found["series:3h:hour:hall"]["values"] == [None] * 3


def test_nobody_is_shown_who_does_not_want_it(quiz: Quiz) -> None:
    ada, bob = (User.objects.create(username=name) for name in ("ada", "bob"))
    complete(quiz, 2, user=ada)
    complete(quiz, 1, user=bob)
    set_preference(str(ada.pk), LEADERBOARD, False)

    (found,) = said("top:en:ever:10:per_user").values()

    assert found["lines"] == [{"rank": 2, "name": "bob", "value": 1, "own": mark_of(str(bob.pk))}]
    # Keys are nobody's business; the mark tells a line to who knows the key.
    assert mark_of(str(ada.pk)) != mark_of(str(bob.pk))


def test_in_the_language_of_the_page() -> None:
    Sale.objects.create(price=1, gift=True)

    found = said("breakdown:de:ever:5:sales_per_gift", "breakdown:en:ever:5:sales_per_gift")

    assert [one["lines"][0]["name"] for one in found.values()] == ["Ja", "Yes"]


def test_of_several_keys(quiz: Quiz) -> None:
    ada = User.objects.create(username="ada")
    quiz.tags.add(Tag.objects.create(slug="a/b"))
    complete(quiz, 2, user=ada)

    (found,) = said("top:en:ever:5:by_tag:a~1b").values()

    assert [(line["rank"], line["value"]) for line in found["lines"]] == [(1, 2)]
    assert isinstance(parse("top:en:ever:5:by_tag:a~1b"), LinesTopic)
    assert isinstance(parse("series:12h:hour:attempts"), SeriesTopic)
