"""Topics: who may follow what, and that a refusal tells nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

import livecounters as live
from livecounters.exceptions import TopicRefused
from livecounters.numbers import counters
from livecounters.registry import registry
from livecounters.selection import Party, Selection
from livecounters.topics import (
    MAX_LENGTH,
    CounterTopic,
    FeedTopic,
    feed_of,
    granted,
    may_read,
    parse,
    personal,
    shown,
    sign,
)
from tests.host.models import Attempt, Quiz


def nobody() -> Any:
    raise AssertionError("asked who it is, though it does not matter")


def anonymous() -> Any:
    return AnonymousUser()


def somebody(pk: int, **given: Any) -> Any:
    return lambda: User(pk=pk, **given)


@pytest.fixture
def declared() -> Iterator[type[live.LiveModel]]:
    class Declared(live.LiveModel):
        seven = live.Count(per="user", audience=lambda user, of: of is not None and of.pk == 7)
        euro = live.Count(per="code", audience=lambda user, of: of == "EUR")
        teachers = live.Count(audience=lambda user, of: getattr(user, "username", "") == "teacher")
        open_seven = live.Count(per="user", public=True, audience=lambda user, of: False)
        secret_per_actor = live.Count(
            events=registry.activities.get("quiz_completed").declared, per="actor"
        )

    live.register(Attempt)(Declared)
    yield Declared
    registry.remove(Declared)


# Names


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("counter:attempts", ""),
        ("counter:host.attempts", ""),
        ("counter:per_quiz:7", "7"),
        ("counter:per_quiz:007", "7"),
        (
            "counter:sales_per_course:AF5D2C6A-7a7e-4f83-9a7d-0f2d3b8f9c01",
            "af5d2c6a7a7e4f839a7d0f2d3b8f9c01",
        ),
        ("counter:sales_per_tag:a:b~c/Ä 🎓", "a:b~c/Ä 🎓"),
        ("counter:sales_per_tag:", ""),
        ("counter:sales_per_gift:True", "1"),
    ],
)
def test_a_topic_keeps_the_name_it_was_asked_by(name: str, scope: str) -> None:
    topic = parse(name)

    assert isinstance(topic, CounterTopic)
    assert (str(topic), topic.scope) == (name, scope)


@pytest.mark.parametrize("name", ["feed", "feed:quiz_completed", "feed:host.quiz_completed"])
def test_a_feed_keeps_its_name(name: str) -> None:
    assert str(parse(name)) == name


NAMES_OF_NOTHING = [
    "",
    "attempts",
    "counter",
    "counter:",
    "counter:nothing",
    "counter:attempts:",
    "counter:attempts:1",
    "counter:per_quiz",
    "counter:per_quiz:",
    "counter:per_quiz:seven",
    "counter:sales_per_course:1",
    "counter:sales_per_gift:maybe",
    "Counter:attempts",
    "feed:",
    "feed:nothing",
    "feed:attempts",
    "progress",
    "online:classroom",
    "counter:attempts~forged",
    "~",
    "\x00",
    "counter:per_quiz:\ud800",
]


@pytest.mark.parametrize("name", NAMES_OF_NOTHING)
def test_what_is_no_topic(name: str) -> None:
    with pytest.raises(TopicRefused):
        granted(name, anonymous)


@pytest.mark.parametrize("key", ["\x00", "a\x00b"])
def test_no_key_holds_a_nul(key: str) -> None:
    with pytest.raises(TopicRefused):
        granted(f"counter:quizzes_by_target:{key}", anonymous)


def test_the_kinds_of_a_feed() -> None:
    assert parse("feed").kinds is None  # type: ignore[union-attr]
    assert parse("feed:perfect").kinds == ["host.perfect"]  # type: ignore[union-attr]


# Tokens


def test_a_token_is_the_topic_and_a_signature() -> None:
    token = sign(parse("counter:sales_per_tag:a~b"))

    assert token.startswith("counter:sales_per_tag:a~b~")
    assert shown(token) == "counter:sales_per_tag:a~b"
    assert shown("counter:attempts") == "counter:attempts"
    assert shown("counter:sales_per_tag:a~b") == "counter:sales_per_tag:a~b"
    assert granted(token, nobody) == parse("counter:sales_per_tag:a~b")


@pytest.mark.parametrize("name", ["counter:sales", "feed:perfect", "counter:sales_per_tag:ä"])
def test_a_page_may_follow_what_it_was_given(name: str) -> None:
    assert str(granted(sign(parse(name)), nobody)) == name
    with pytest.raises(TopicRefused):
        granted(name, anonymous)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace("sales", "revenue_per_currency", 1),
        lambda token: token + "~",
        lambda token: token.upper(),
        lambda token: token.replace("~", ":"),
        lambda token: token + token,
        lambda token: " " + token,
    ],
    ids=["letter", "name", "more", "case", "separator", "twice", "blank"],
)
def test_a_forged_token_is_none(change: Any) -> None:
    with pytest.raises(TopicRefused):
        granted(change(sign(parse("counter:sales"))), anonymous)


def test_a_token_of_another_site_is_none(settings: Any) -> None:
    token = sign(parse("counter:sales"))

    settings.SECRET_KEY = "another"

    with pytest.raises(TopicRefused):
        granted(token, anonymous)


def test_a_signature_for_something_else_is_none() -> None:
    from django.core.signing import Signer

    with pytest.raises(TopicRefused):
        granted(Signer(sep="~", salt="elsewhere").sign("counter:sales"), anonymous)


def test_public_topics_need_no_token_and_no_session() -> None:
    for name in ("counter:attempts", "counter:per_quiz:3", "feed:quiz_completed"):
        assert str(granted(name, nobody)) == name
    # Of all activities together everybody gets those that are public.
    assert granted("feed", anonymous).kinds == ["host.quiz_completed"]  # type: ignore[union-attr]


# Whose


PERSONAL = "counter:per_user:7"


@pytest.mark.parametrize(
    ("viewer", "may"),
    [
        (somebody(7), True),
        (somebody(8), False),
        (somebody(77), False),
        (somebody(8, is_staff=True), True),
        (somebody(7, is_active=False), False),
        (somebody(8, is_staff=True, is_active=False), False),
        (somebody(8, is_superuser=True), False),
        (anonymous, False),
        (lambda: None, False),
    ],
    ids=["owner", "other", "7 in 77", "staff", "gone", "gone staff", "super", "anonymous", "none"],
)
@pytest.mark.parametrize("signed", [True, False])
def test_a_person_s_number_is_judged_by_the_session(viewer: Any, may: bool, signed: bool) -> None:
    name = sign(parse(PERSONAL)) if signed else PERSONAL
    if may:
        assert str(granted(name, viewer)) == PERSONAL
        return
    with pytest.raises(TopicRefused):
        granted(name, viewer)


def test_staff_may_read_what_is_not_public() -> None:
    assert str(granted("counter:sales", somebody(1, is_staff=True))) == "counter:sales"
    assert not may_read(registry.counters.get("sales"), "", somebody(7)())
    assert may_read(registry.counters.get("attempts"), "", None)


@pytest.mark.django_db
@pytest.mark.usefixtures("declared")
def test_an_audience_decides_instead() -> None:
    User.objects.bulk_create([User(pk=pk, username=str(pk)) for pk in (7, 8)])
    for viewer in (anonymous, somebody(8), somebody(7)):
        assert str(granted("counter:seven:7", viewer)) == "counter:seven:7"
    for viewer in (somebody(8), somebody(8, is_staff=True)):
        with pytest.raises(TopicRefused):
            granted("counter:seven:8", viewer)
        with pytest.raises(TopicRefused):
            granted(sign(parse("counter:seven:8")), viewer)
        with pytest.raises(TopicRefused):
            granted(sign(parse("counter:teachers")), viewer)
    assert granted("counter:teachers", somebody(3, username="teacher"))
    # Whom the number is about, or else the value that it is about.
    assert granted("counter:euro:EUR", anonymous)
    with pytest.raises(TopicRefused):
        granted("counter:euro:USD", anonymous)
    # What everybody may read needs no audience.
    assert granted("counter:open_seven:8", nobody)


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("counter:per_user:7", True),
        ("counter:seven:7", True),
        ("counter:teachers", True),
        ("counter:completed_by_actor:7", True),
        ("counter:secret_per_actor:7", True),
        ("counter:open_seven:7", False),
        ("counter:sales", False),
        ("counter:sales_per_currency:EUR", False),
        ("counter:quizzes_by_target:7", False),
        ("feed", False),
        ("feed:perfect", False),
    ],
)
def test_what_belongs_to_a_person(name: str, expected: bool) -> None:
    assert personal(parse(name)) is expected


@pytest.mark.usefixtures("declared")
def test_an_actor_is_the_owner_of_what_they_did() -> None:
    assert granted("counter:secret_per_actor:7", somebody(7))
    with pytest.raises(TopicRefused):
        granted("counter:secret_per_actor:8", somebody(7))


def test_what_was_recorded_is_its_actor_s() -> None:
    done = live.Activity("x", target=Quiz)
    site = {
        "recorded": live.Count(events=done, per="actor"),
        "recorded_of": live.Count(events=done, per="target"),
        "done": done,
    }
    live_site = live.register(type("Site", (live.LiveSite,), site))
    try:
        assert personal(parse("counter:recorded:7"))
        assert not personal(parse("counter:recorded_of:7"))
        assert granted("counter:recorded:7", somebody(7))
        for name in ("counter:recorded:8", "counter:recorded_of:7"):
            with pytest.raises(TopicRefused):
                granted(name, somebody(7))
    finally:
        registry.remove(live_site)


# Refusals


def test_a_refusal_does_not_tell_whether_there_is_such_a_topic() -> None:
    for name in ("counter:sales", "counter:nothing", "feed:perfect", "feed:nothing", PERSONAL, "x"):
        with pytest.raises(TopicRefused) as caught:
            granted(name, anonymous)
        assert (type(caught.value), caught.value.args) == (TopicRefused, (name,))


def test_a_name_that_is_too_long_is_not_looked_at() -> None:
    longest = sign(CounterTopic(live.counters["sales_per_tag"], "x" * 255))
    assert len(longest) < MAX_LENGTH
    assert granted(longest, nobody)

    long = sign(CounterTopic(live.counters["sales_per_tag"], "x" * MAX_LENGTH))
    with pytest.raises(TopicRefused):
        granted(long, nobody)


def test_a_tag_names_a_topic_in_short() -> None:
    assert str(FeedTopic()) == "feed"
    assert str(CounterTopic(counters["host.sales"], "")) == "counter:sales"
    assert str(CounterTopic(counters["per_quiz"], "7")) == "counter:per_quiz:7"


def test_an_ambiguous_short_name_is_shown_in_full() -> None:
    class Other(live.LiveModel):
        attempts = live.Count(public=True)

    live.register(User)(Other)
    try:
        assert str(parse("counter:host.attempts")) == "counter:host.attempts"
        with pytest.raises(TopicRefused):
            granted("counter:attempts", anonymous)
    finally:
        registry.remove(Other)


# Feeds


def test_the_feed_of_objects() -> None:
    parties = [Party("host.tag", "a/b~c&d:e"), Party("host.quiz", "7")]
    topic = feed_of(["perfect", "host.quiz_completed"], parties, [Party("auth.user", "3")])

    name = "feed:perfect,quiz_completed?target=host.tag:a%2Fb%7Ec%26d:e&target=host.quiz:7"
    assert str(topic) == name + "&actor=auth.user:3"
    assert topic.selection == Selection(
        ("host.perfect", "host.quiz_completed"), tuple(parties), (Party("auth.user", "3"),)
    )
    assert granted(sign(topic), nobody) == topic
    assert str(feed_of()) == "feed"


def test_too_many_objects() -> None:
    with pytest.raises(ValueError, match="50 are the most"):
        feed_of(targets=[Party("host.quiz", str(n)) for n in range(51)])
    with pytest.raises(ValueError, match="characters"):
        feed_of(targets=[Party("host.tag", f"{n}" * 40) for n in range(10, 60)])
    with pytest.raises(LookupError):
        feed_of(["nothing"])


@pytest.mark.parametrize(
    "name",
    [
        "feed?",
        "feed?target=",
        "feed?target=host.quiz",
        "feed?target=host.quiz:x",
        "feed?target=host.nothing:1",
        "feed?nothing=host.quiz:1",
        "feed?target",
        "feed:?target=host.quiz:1",
        "feed:perfect,?target=host.quiz:1",
        "feed:perfect,nothing",
        "feed?" + "&".join(f"target=host.quiz:{n}" for n in range(51)),
    ],
)
def test_no_feeds(name: str) -> None:
    with pytest.raises(TopicRefused):
        parse(name)
