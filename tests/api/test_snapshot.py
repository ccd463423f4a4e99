"""``GET live/snapshot/``: what the socket says, for those without one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from livecounters import feed
from livecounters.hub import RING
from livecounters.topics import parse, sign
from tests.host.models import Attempt, Quiz, Sale

pytestmark = pytest.mark.django_db

URL = "/live/snapshot/"
FEED = "feed:quiz_completed"


@pytest.fixture
def client() -> APIClient:
    return APIClient()


@pytest.fixture
def quiz() -> Quiz:
    return Quiz.objects.create(title="Fractions")


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


def complete(quiz: Quiz, ada: User | None, times: int = 1) -> None:
    start = Attempt.objects.count()
    Attempt.objects.bulk_create(
        [
            Attempt(quiz=quiz, user=ada, completed=True, completed_at=timezone.now(), score=n % 90)
            for n in range(start, start + times)
        ]
    )


def take(client: APIClient, *topics: str, **query: Any) -> dict[str, Any]:
    answer = client.get(URL, {"topic": topics, **query})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_values_by_topic(client: APIClient, quiz: Quiz, ada: User) -> None:
    complete(quiz, ada, 2)
    Sale.objects.create(price="1.10")
    of_quiz, money = f"counter:per_quiz:{quiz.pk}", sign(parse("counter:revenue"))

    found = take(client, "counter:attempts", of_quiz, money, "counter:score_avg_per_quiz:987")

    assert found["op"] == "snapshot"
    assert found["values"] == {
        "counter:attempts": 2,
        of_quiz: 2,
        "counter:revenue": "1.10",
        "counter:score_avg_per_quiz:987": None,
    }
    assert (found["events"], found["reset"], found["unavailable"]) == ({}, [], [])
    assert (found["epoch"], found["seq"]) == feed.head()
    assert found["at"].endswith("Z")


def test_what_is_new_since_a_place(client: APIClient, quiz: Quiz, ada: User) -> None:
    complete(quiz, ada, 2)
    seen = feed.number()
    for _ in range(2):
        complete(quiz, ada)

    found = take(client, FEED, epoch=seen.epoch, seq=seen.seq)

    # Oldest first, as they are to be put on top of each other.
    assert [event["data"]["score"] for event in found["events"][FEED]] == [2, 3]
    assert found["reset"] == []
    assert found["events"][FEED][0]["text"] == "ada just completed Fractions!"
    nothing = take(client, FEED, epoch=found["epoch"], seq=found["seq"])
    assert nothing["events"] == {FEED: []}


@pytest.mark.parametrize(
    ("epoch", "seq"), [("", 0), ("ffff", 0), ("", 10**17), (None, 10**17), ("ä\x00", 3)]
)
def test_a_place_that_nobody_knows_is_a_reset(
    client: APIClient, quiz: Quiz, ada: User, epoch: str | None, seq: int
) -> None:
    complete(quiz, ada, RING + 5)
    epoch = feed.number().epoch if epoch is None else epoch

    found = take(client, FEED, epoch=epoch, seq=seq)

    assert found["reset"] == [FEED]
    numbers = [event["seq"] for event in found["events"][FEED]]
    assert len(numbers) == RING
    assert numbers == sorted(numbers)
    assert found["seq"] - RING * 3 < numbers[-1] <= found["seq"]


@pytest.mark.parametrize(("missed", "reset"), [(RING, False), (RING + 1, True)])
def test_too_much_is_a_reset(
    client: APIClient, quiz: Quiz, ada: User, missed: int, reset: bool
) -> None:
    complete(quiz, ada)
    seen = feed.number()
    complete(quiz, ada, missed)

    found = take(client, FEED, epoch=seen.epoch, seq=seen.seq)

    assert (found["reset"] == [FEED]) is reset
    assert len(found["events"][FEED]) == RING


def test_what_this_viewer_may_not_have_is_named(client: APIClient, ada: User) -> None:
    mine = f"counter:per_user:{ada.pk}"
    token = sign(parse("counter:sales"))
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    asked = [
        "counter:nothing",
        "counter:sales",
        forged,
        sign(parse(mine)),
        "feed:perfect",
        "progress",
    ]

    found = take(client, *asked)
    assert found["unavailable"] == [
        "counter:nothing",
        "counter:sales",
        # Called by its name, as the page knows it.
        "counter:sales",
        mine,
        "feed:perfect",
        "progress",
    ]
    assert found["values"] == {}
    client.force_authenticate(ada)
    assert take(client, mine)["values"] == {mine: 0}


def test_a_page_gets_what_it_was_given(client: APIClient) -> None:
    tokens = [sign(parse(name)) for name in ("counter:sales", "feed", "feed:perfect")]

    found = take(client, *tokens)
    assert found["values"] == {"counter:sales": 0}
    assert set(found["events"]) == {"feed", "feed:perfect"}
    assert found["unavailable"] == []


@pytest.mark.parametrize("key", ["\x00", "a\x00b", "🎓" * 200])
def test_any_key_is_answered(client: APIClient, key: str) -> None:
    answer = client.get(URL, {"topic": f"counter:quizzes_by_target:{key}"})

    assert answer.status_code == 200


def test_nothing_is_asked_for(client: APIClient) -> None:
    found = take(client)

    assert (found["values"], found["events"], found["unavailable"]) == ({}, {}, [])


def test_a_topic_twice_is_answered_once(client: APIClient) -> None:
    assert take(client, "counter:attempts", "counter:attempts")["values"] == {"counter:attempts": 0}


@pytest.mark.parametrize("seq", ["-1", "x", "1.5", "", "9" * 19])
def test_a_number_that_is_none(client: APIClient, seq: str) -> None:
    answer = client.get(URL, {"topic": FEED, "seq": seq})

    assert answer.status_code == 400
    assert answer.json() == {"seq": "Give a whole number."}


def test_too_many_topics(client: APIClient) -> None:
    topics = [f"counter:per_quiz:{n}" for n in range(201)]

    assert client.get(URL, {"topic": topics}).json() == {"topic": "At most 200 at a time."}
    assert len(take(client, *topics[:200])["values"]) == 200


def test_nothing_new_is_304(client: APIClient, quiz: Quiz, ada: User) -> None:
    complete(quiz, ada)
    query = {"topic": ["counter:attempts", FEED]}
    tag = client.get(URL, query)["ETag"]

    assert client.get(URL, query, headers={"If-None-Match": tag}).status_code == 304
    complete(quiz, ada)
    assert client.get(URL, query, headers={"If-None-Match": tag}).status_code == 200


def test_any_number_of_counters_is_few_queries(
    client: APIClient, quiz: Quiz, ada: User, django_assert_num_queries: Any
) -> None:
    complete(quiz, ada)
    feed.number()
    topics = [f"counter:per_quiz:{n}" for n in range(150)]

    with django_assert_num_queries(2):
        take(client, *topics, "counter:attempts", "counter:score_avg")


def test_events_are_numbered_first(client: APIClient, quiz: Quiz, ada: User) -> None:
    # A site without a pump has a feed too.
    complete(quiz, ada)

    found = take(client, FEED)
    assert [event["seq"] for event in found["events"][FEED]] != [0]
    assert found["seq"] >= found["events"][FEED][0]["seq"] > 0
